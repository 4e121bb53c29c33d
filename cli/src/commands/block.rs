//! `ledger block`: read blocks.

use ledger_core::ids::BlockHeight;

use super::account::more;
use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::pages::{Limit, Rows};
use crate::render::{self, Facts};

/// Commands about blocks.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// One block: what its seal says
    Show {
        /// Its height, or `latest`
        #[arg(default_value = "latest", value_parser = height)]
        height: Height,
    },
    /// Blocks by ascending height
    List {
        /// The first height
        #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
        from: u64,
        #[command(flatten)]
        limit: Limit,
    },
}

/// A height on the command line.
#[derive(Clone, Copy, Debug)]
pub enum Height {
    /// The newest sealed block.
    Latest,
    /// That of a number.
    At(u64),
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Show { height } => show(context, *height).await,
        Args::List { from, limit } => list(context, *from, *limit).await,
    }
}

async fn show(context: &Context, height: Height) -> Result<Exit, CliError> {
    let height = match height {
        Height::Latest => None,
        Height::At(number) => Some(BlockHeight(number)),
    };
    let facts = render::block(&context.client()?.block(height).await?);
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

async fn list(context: &Context, from: u64, limit: Limit) -> Result<Exit, CliError> {
    let client = context.client()?;
    let read = async |page| {
        let r = client.blocks(BlockHeight(from), page).await?;
        Ok(Rows { rows: r.blocks, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let listed = limit.read(read).await?;
    let rows: Vec<Facts> = listed.rows.iter().map(render::block).collect();
    let columns = ["height", "first log index", "entries", "sealed at", "accounts", "payments", "block root"];
    let right = ["height", "first log index", "entries", "accounts", "payments"];
    let document = render::document("blocks", &rows, Some(listed.read_at));
    context.out.print(render::list_table(&rows, &columns, &right), &document);
    more(context, listed.more);
    Ok(Exit::Ok)
}

fn height(text: &str) -> Result<Height, String> {
    if text == "latest" {
        return Ok(Height::Latest);
    }
    text.parse().map(Height::At).map_err(|_| "expected a height or `latest`".to_owned())
}
