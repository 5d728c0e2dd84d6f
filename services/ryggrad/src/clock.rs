//! `ryggrad clock`: what time it is for the business, and moving a simulated clock on.

use anyhow::Context as _;
use jiff::Timestamp;
use ryggrad_client::Connection;
use ryggrad_norway::time::oslo;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{AdvanceClockRequest, AdvanceClockResponse, GetClockRequest};
use serde_json::json;

use crate::exit::Exit;
use crate::print;
use crate::running::Running;
use crate::status::spoken;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad clock                     what time it is
  ryggrad clock advance 6w          six calendar weeks on (only with up --clock simulated)
  ryggrad clock advance '1mo 2d'    also months, days and hours
  ryggrad clock set 2026-12-31T12:00:00Z";

/// Show or move the clock.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    running: Running,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// What time it is.
    Show,
    /// Move a simulated clock on by a span, counted in the Norwegian calendar.
    Advance {
        /// Numbers with units: 6w, 3d 12h, 1mo; or an ISO duration: P6W.
        by: String,
    },
    /// Move a simulated clock on to an instant.
    Set {
        /// The instant, for example 2026-12-31T12:00:00Z.
        to: Timestamp,
    },
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut admin = AdminClient::new(args.running.connect().await?);
    let (now, simulated) = match args.action {
        None | Some(Action::Show) => {
            let answer = admin
                .get_clock(GetClockRequest {})
                .await
                .map_err(spoken)
                .context("cannot read the clock")?
                .into_inner();
            (answer.now, answer.simulated)
        }
        Some(Action::Advance { by }) => (moved(&mut admin, AdvanceClockRequest { by, to: None }).await?.now, true),
        Some(Action::Set { to }) => {
            let to = AdvanceClockRequest {
                to: Some(to.into()),
                ..AdvanceClockRequest::default()
            };
            (moved(&mut admin, to).await?.now, true)
        }
    };
    let now = now
        .and_then(|now| Timestamp::try_from(now).ok())
        .context("the answer had no time in it")?;
    if args.json {
        print::json(&json!({ "now": now, "simulated": simulated }))?;
    } else {
        let here = now.to_zoned(oslo().clone());
        let kind = if simulated { "simulated" } else { "system" };
        print::line(format!(
            "{} {}",
            here.strftime("%Y-%m-%d %H:%M:%S %Z"),
            print::styled(print::FAINT, format!("({kind} clock)"))
        ));
    }
    Ok(Exit::Done)
}

/// Moves the clock; the answer is what it shows then.
async fn moved(
    admin: &mut AdminClient<Connection>,
    request: AdvanceClockRequest,
) -> anyhow::Result<AdvanceClockResponse> {
    let answer = admin.advance_clock(request).await.map_err(spoken);
    Ok(answer.context("cannot move the clock")?.into_inner())
}
