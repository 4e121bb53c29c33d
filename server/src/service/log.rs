//! What lets a client mirror the log: checkpoint, tiles, entries.

use ledger_core::ids::LogIndex;
use ledger_proto::v1::{
    GetCheckpointResponse, GetEntriesRequest, GetEntriesResponse, GetTileRequest, GetTileResponse,
};
use tonic::{Response, Status};

use super::{PAGE_BYTES, Service, about, blocking};
use crate::status;

/// Highest level of a tile: 256^8 leaves are all that an index can count.
const MAX_TILE_LEVEL: u32 = 7;
/// Hashes of a full tile.
const FULL_TILE: u32 = 256;

impl Service {
    pub(super) fn checkpoint(&self) -> GetCheckpointResponse {
        let published = self.ledger.checkpoint();
        GetCheckpointResponse {
            checkpoint: published.text.clone(),
            size: published.size,
            root: published.root.to_vec(),
        }
    }

    pub(super) async fn tile(&self, request: GetTileRequest) -> Result<Response<GetTileResponse>, Status> {
        let GetTileRequest { level, index, width } = request;
        if level > MAX_TILE_LEVEL {
            return Err(status::malformed("level", level, "0 to 7"));
        }
        if width == 0 || width > FULL_TILE {
            return Err(status::malformed("width", width, "1 to 256"));
        }
        let ledger = self.ledger.clone();
        let tile = blocking(&self.reading, move || ledger.tile(level as u8, index, width as u16)).await?;
        let tile = tile.map_err(about(format_args!("tile {index} of level {level}, {width} wide")))?;
        Ok(Response::new(GetTileResponse { tile }))
    }

    pub(super) async fn entries(
        &self,
        request: GetEntriesRequest,
    ) -> Result<Response<GetEntriesResponse>, Status> {
        let most = self.page_limit(request.limit)?;
        let from = LogIndex(request.from);
        let ledger = self.ledger.clone();
        let entries = blocking(&self.reading, move || ledger.entries(from, most, PAGE_BYTES)).await?;
        let entries = entries.map_err(about(format_args!("entries from log index {from}")))?;
        let checkpoint_size = self.ledger.checkpoint().size;
        Ok(Response::new(GetEntriesResponse { entries, checkpoint_size }))
    }
}
