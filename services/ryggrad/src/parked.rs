//! `ryggrad parked`: what a consumer has set aside because of an event that it could not take in (invariant I11).

use anyhow::Context as _;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{ListParkedRequest, ParkedKey, UnparkRequest};
use serde_json::json;

use crate::exit::Exit;
use crate::print;
use crate::running::Running;
use crate::status::spoken;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad parked                                 everything that is set aside, and why
  ryggrad parked list --consumer org_timeline
  ryggrad parked unpark org_timeline 0199f1e2-0000-7000-8000-000000000001";

/// List what is set aside, or let it go on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    running: Running,
    /// Print one JSON object a line.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// What is set aside, by whom and why.
    List {
        /// Only what this consumer has set aside.
        #[arg(long, default_value = "")]
        consumer: String,
        /// Only this organisation (UUID).
        #[arg(long, default_value = "")]
        organisation: String,
    },
    /// Let an organisation go on: what waits is applied in order.
    Unpark {
        /// The consumer that has set it aside.
        consumer: String,
        /// The organisation (UUID).
        organisation: String,
    },
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut admin = AdminClient::new(args.running.connect().await?);
    match args.action.unwrap_or(Action::List {
        consumer: String::new(),
        organisation: String::new(),
    }) {
        Action::List { consumer, organisation } => {
            let mut request = ListParkedRequest {
                consumer,
                organisation_id: organisation,
                page_size: 1_000,
                page_token: String::new(),
            };
            let mut count = 0_usize;
            loop {
                let page = admin
                    .list_parked(request.clone())
                    .await
                    .map_err(spoken)
                    .context("cannot list what is parked")?
                    .into_inner();
                count += page.parked.len();
                for key in &page.parked {
                    tell(key, args.json)?;
                }
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            if count == 0 && !args.json {
                print::line("nothing is parked");
            }
        }
        Action::Unpark { consumer, organisation } => {
            let request = UnparkRequest {
                consumer,
                organisation_id: organisation,
            };
            let applied = admin
                .unpark(request)
                .await
                .map_err(spoken)
                .context("cannot unpark")?
                .into_inner()
                .applied;
            if args.json {
                print::json(&json!({ "applied": applied }))?;
            } else {
                print::line(format!("goes on; {applied} waiting events were applied"));
            }
        }
    }
    Ok(Exit::Done)
}

fn tell(key: &ParkedKey, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(key);
    }
    print::line(format!(
        "{}  {}  position {} ({}), {} waiting",
        print::styled(print::STRONG, &key.consumer),
        key.organisation_id,
        key.position,
        key.event_type,
        key.waiting
    ));
    print::line(format!("    {}", print::styled(print::BAD, &key.cause)));
    Ok(())
}
