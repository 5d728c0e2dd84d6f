//! `ryggrad deadlines`: the commands that the services send themselves, and those among them that fail.

use anyhow::Context as _;
use jiff::Timestamp;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{Deadline, ListDeadlinesRequest};

use crate::exit::Exit;
use crate::print;
use crate::running::Running;
use crate::status::spoken;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad deadlines                              those whose commands fail, and why
  ryggrad deadlines pending
  ryggrad deadlines --aggregate 0199f1e2-0000-7000-8000-000000000001";

/// List deadlines.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which ones.
    #[arg(value_parser = ["failing", "pending", "refused"], default_value = "failing")]
    which: String,
    /// All deadlines of this aggregate (UUID) instead, whatever became of them.
    #[arg(long, conflicts_with = "which", default_value = "", hide_default_value = true)]
    aggregate: String,
    #[command(flatten)]
    running: Running,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut admin = AdminClient::new(args.running.connect().await?);
    let mut request = ListDeadlinesRequest {
        state: if args.aggregate.is_empty() {
            args.which
        } else {
            String::new()
        },
        aggregate_id: args.aggregate,
        page_size: 1_000,
        page_token: String::new(),
    };
    let mut count = 0_usize;
    loop {
        let answer = admin.list_deadlines(request.clone()).await;
        let page = answer.map_err(spoken).context("cannot list deadlines")?.into_inner();
        count += page.deadlines.len();
        for deadline in &page.deadlines {
            tell(deadline, args.json)?;
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    if count == 0 && !args.json {
        print::line("there are none");
    }
    Ok(Exit::Done)
}

fn tell(deadline: &Deadline, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(deadline);
    }
    print::line(format!(
        "{}  {} ({}), due {}, {} of {} {}",
        print::styled(print::STRONG, &deadline.schedule),
        deadline.timer,
        deadline.nature,
        at(deadline.due_at),
        deadline.state,
        deadline.aggregate_type,
        deadline.aggregate_id,
    ));
    if deadline.attempts > 0 {
        let again = format!("failed {} times; again at {}", deadline.attempts, at(deadline.again_at));
        print::line(format!("    {again}"));
    }
    if !deadline.note.is_empty() {
        print::line(format!("    {}", print::styled(print::BAD, &deadline.note)));
    }
    Ok(())
}

fn at(instant: Option<ryggrad_proto::Timestamp>) -> String {
    let instant = instant.and_then(|instant| Timestamp::try_from(instant).ok());
    instant.map(|instant| instant.to_string()).unwrap_or_default()
}
