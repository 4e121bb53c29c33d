//! GetBlock and ListBlocks.

use ledger_core::ids::BlockHeight;
use ledger_engine::{Slice, View};
use ledger_proto::v1::get_block_request::Block as Wanted;
use ledger_proto::v1::{Block, GetBlockRequest, GetBlockResponse, ListBlocksRequest, ListBlocksResponse};
use tonic::{Response, Status};

use crate::cursor::Cursor;
use crate::service::{Service, about, answer, direction};
use crate::status;

impl Service {
    pub(in crate::service) async fn block(
        &self,
        request: GetBlockRequest,
    ) -> Result<Response<GetBlockResponse>, Status> {
        let wanted = request.block.ok_or_else(|| status::malformed("block", "none", "height or latest"))?;
        let found = self.read(move |view| {
            let height = match wanted {
                Wanted::Height(height) => BlockHeight(height),
                Wanted::Latest(_) => view.height().ok_or_else(|| status::not_found("latest block"))?,
            };
            let what = format!("block {height}");
            let block = sealed(view, height)?.ok_or_else(|| status::beyond(&what, block_count(view)))?;
            Ok(GetBlockResponse { block: Some(block), read_at: view.next_index().0 })
        });
        found.await
    }

    pub(in crate::service) async fn blocks(
        &self,
        request: ListBlocksRequest,
    ) -> Result<Response<ListBlocksResponse>, Status> {
        let cursor = Cursor::of("ListBlocks", &[], direction(request.descending));
        let page = self.page(cursor, &request.cursor, request.limit)?;
        let start = Some(request.from_height).filter(|height| *height > 0);
        let found = self.read(move |view| {
            let slice = Slice { from: page.from.or(start), ..page.slice() };
            let mut heights = slice.positions(0, block_count(view));
            let mut blocks = Vec::new();
            for height in heights.by_ref().take(page.limit) {
                blocks.extend(sealed(view, BlockHeight(height))?);
            }
            let next_cursor = page.cursor.write(heights.next());
            Ok(ListBlocksResponse { blocks, next_cursor, read_at: view.next_index().0 })
        });
        found.await
    }
}

fn sealed(view: &View, height: BlockHeight) -> Result<Option<Block>, Status> {
    let read = view.block(height).map_err(about(format_args!("block {height}")))?;
    Ok(read.map(|block| answer::block(height, &block)))
}

fn block_count(view: &View) -> u64 {
    view.height().map_or(0, |newest| newest.0 + 1)
}
