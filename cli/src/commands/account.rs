//! `ledger account`: open, change and read accounts.

use crate::context::{Context, Signing};
use crate::draft::{OpenAccount, SetLimit, SetStatus};
use crate::exit::{CliError, Exit};
use crate::output::note;
use crate::pages::{Limit, Rows};
use crate::render::{self, Facts};
use crate::submit::submit_draft;
use crate::text;

/// Commands about accounts.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Open an account
    Open {
        #[command(flatten)]
        account: OpenAccount,
        #[command(flatten)]
        signing: Signing,
    },
    /// Freeze, thaw or close an account
    Status {
        #[command(flatten)]
        change: SetStatus,
        #[command(flatten)]
        signing: Signing,
    },
    /// Change how far an account may go below zero
    Limit {
        #[command(flatten)]
        change: SetLimit,
        #[command(flatten)]
        signing: Signing,
    },
    /// One account with its balance, now or as of an earlier moment
    Show {
        /// The account
        account: String,
        /// The balance after this entry of the log, after block:HEIGHT, at the end of this date, or at this time
        #[arg(long, value_name = "MOMENT")]
        as_of: Option<String>,
    },
    /// All accounts, in the order of their opening
    List(Limit),
    /// Accounts that should drain to zero, clearing and dispute, and hold something
    Draining(Limit),
    /// The statement lines of an account
    Entries {
        /// The account
        account: String,
        #[command(flatten)]
        limit: Limit,
    },
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Open { account, signing } => {
            submit_draft(context, account.draft()?, &signing.load()?, Facts::new()).await
        }
        Args::Status { change, signing } => {
            submit_draft(context, change.draft()?, &signing.load()?, Facts::new()).await
        }
        Args::Limit { change, signing } => {
            submit_draft(context, change.draft()?, &signing.load()?, Facts::new()).await
        }
        Args::Show { account, as_of } => show(context, account, as_of.as_deref()).await,
        Args::List(limit) => list(context, *limit).await,
        Args::Draining(limit) => draining(context, *limit).await,
        Args::Entries { account, limit } => entries(context, account, *limit).await,
    }
}

async fn show(context: &Context, account: &str, as_of: Option<&str>) -> Result<Exit, CliError> {
    let response = context.client()?.account(account, as_of.map(text::parse_as_of).transpose()?).await?;
    let mut account = response.account.unwrap_or_default();
    let mut as_of = None;
    if let Some(then) = response.as_of {
        account.status = then.status;
        account.limit = then.limit;
        account.line_count = then.line_count;
        account.balance = then.balance;
        account.statement_chain.clear();
        as_of = Some(then.log_index);
    }
    let balance = account.balance.clone().unwrap_or_default();
    let mut facts = render::account(&account, &balance);
    if let Some(index) = as_of {
        facts.retain(|(name, _)| *name != "statement chain");
        facts.push(("as of", index.to_string()));
    }
    facts.push(("read at", response.read_at.to_string()));
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

async fn list(context: &Context, limit: Limit) -> Result<Exit, CliError> {
    let client = context.client()?;
    let read = async |page| {
        let r = client.accounts(page).await?;
        Ok(Rows { rows: r.accounts, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let listed = limit.read(read).await?;
    let facts = |account| {
        let balance =
            Option::clone(&ledger_client::messages::Account::clone(account).balance).unwrap_or_default();
        render::account(account, &balance)
    };
    let rows: Vec<Facts> = listed.rows.iter().map(facts).collect();
    let columns = ["account", "kind", "status", "posted", "pending", "available", "limit", "lines"];
    let right = ["posted", "pending", "available", "limit", "lines"];
    let document = render::document("accounts", &rows, Some(listed.read_at));
    context.out.print(render::list_table(&rows, &columns, &right), &document);
    more(context, listed.more);
    Ok(Exit::Ok)
}

async fn draining(context: &Context, limit: Limit) -> Result<Exit, CliError> {
    let client = context.client()?;
    let read = async |page| {
        let r = client.undrained(page).await?;
        Ok(Rows { rows: r.accounts, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let listed = limit.read(read).await?;
    let facts = |undrained: &ledger_client::messages::UndrainedAccount| {
        let account = undrained.account.clone().unwrap_or_default();
        let balance = account.balance.clone().unwrap_or_default();
        let since = match undrained.since_nanos {
            0 => String::new(),
            nanos => text::time(nanos),
        };
        [render::account(&account, &balance), vec![("since", since)]].concat()
    };
    let rows: Vec<Facts> = listed.rows.iter().map(facts).collect();
    let columns = ["account", "kind", "currency", "posted", "since"];
    let document = render::document("accounts", &rows, Some(listed.read_at));
    context.out.print(render::list_table(&rows, &columns, &["posted"]), &document);
    more(context, listed.more);
    Ok(Exit::Ok)
}

async fn entries(context: &Context, account: &str, limit: Limit) -> Result<Exit, CliError> {
    let client = context.client()?;
    let about = client.account(account, None).await?.account.unwrap_or_default();
    let read = async |page| {
        let r = client.account_entries(account, page).await?;
        Ok(Rows { rows: r.lines, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let listed = limit.read(read).await?;
    let facts = |line| render::line(line, about.exponent, &about.currency);
    let rows: Vec<Facts> = listed.rows.iter().map(facts).collect();
    let columns = [
        "line",
        "log index",
        "recorded at",
        "layer",
        "side",
        "amount",
        "posted debits",
        "posted credits",
        "event id",
    ];
    let right = ["line", "log index", "amount", "posted debits", "posted credits"];
    let document = render::document("lines", &rows, Some(listed.read_at));
    context.out.print(render::list_table(&rows, &columns, &right), &document);
    more(context, listed.more);
    Ok(Exit::Ok)
}

/// Tells people that a list was cut.
pub fn more(context: &Context, more: bool) {
    if more && context.out.is_human() {
        note("there is more: --limit 0 shows all");
    }
}
