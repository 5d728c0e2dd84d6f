//! `ryggrad replay`: a view built anew from the log, while the version that serves goes on serving.

use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use ryggrad_client::Connection;
use ryggrad_proto::admin::v1::admin_client::AdminClient;
use ryggrad_proto::admin::v1::{ListProjectionsRequest, Projection, RebuildRequest};

use crate::exit::Exit;
use crate::print;
use crate::running::Running;
use crate::status::spoken;

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad replay                    the views and how far they are
  ryggrad replay org_timeline       build it anew, with rate and time left
  ryggrad replay org_timeline --no-wait";

/// How often the progress is asked for.
const LOOK: Duration = Duration::from_millis(200);

/// Build a view anew.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The view; without it the views are listed.
    view: Option<String>,
    /// Start it and do not wait until it serves.
    #[arg(long, requires = "view")]
    no_wait: bool,
    #[command(flatten)]
    running: Running,
    /// Print JSON objects, one a line.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let mut admin = AdminClient::new(args.running.connect().await?);
    let Some(view) = args.view else {
        for projection in list(&mut admin).await? {
            tell(&projection, args.json)?;
        }
        return Ok(Exit::Done);
    };
    let request = RebuildRequest { name: view.clone() };
    let answer = admin
        .rebuild(request)
        .await
        .map_err(spoken)
        .with_context(|| format!("cannot rebuild {view}"))?
        .into_inner();
    let started = answer.projection.context("the answer had no projection in it")?;
    if args.no_wait {
        tell(&started, args.json)?;
        return Ok(Exit::Done);
    }
    let built = watch(&mut admin, &view, args.json).await?;
    tell(&built, args.json)?;
    Ok(Exit::Done)
}

/// Follows a rebuild until the new rows serve.
async fn watch(admin: &mut AdminClient<Connection>, view: &str, json: bool) -> anyhow::Result<Projection> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left",
    )?);
    bar.set_message(view.to_owned());
    loop {
        let (building, others): (Vec<_>, Vec<_>) = list(admin)
            .await?
            .into_iter()
            .filter(|p| p.name == view)
            .partition(|p| p.state == "building");
        let Some(projection) = building.into_iter().next() else {
            bar.finish_and_clear();
            return others
                .into_iter()
                .next()
                .with_context(|| format!("{view} has disappeared"));
        };
        bar.set_length(projection.head);
        bar.set_position(projection.position);
        if json && bar.is_hidden() {
            print::json(&projection)?;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn list(admin: &mut AdminClient<Connection>) -> anyhow::Result<Vec<Projection>> {
    let answer = admin
        .list_projections(ListProjectionsRequest {})
        .await
        .map_err(spoken)
        .context("cannot list the views")?;
    Ok(answer.into_inner().projections)
}

fn tell(projection: &Projection, json: bool) -> anyhow::Result<()> {
    if json {
        return print::json(projection);
    }
    let Projection {
        name,
        version,
        state,
        position,
        head,
        rate,
        eta_seconds,
        parked,
    } = projection;
    let rate = if *rate > 0.0 {
        format!("  {rate:.0} events/s")
    } else {
        String::new()
    };
    let left = if *eta_seconds > 0.0 {
        format!("  {eta_seconds:.0} s left")
    } else {
        String::new()
    };
    let parked = if *parked > 0 {
        print::styled(print::BAD, format!("  {parked} parked"))
    } else {
        String::new()
    };
    let (name, state) = (format!("{name:<24}"), format!("{state:<9}"));
    print::line(format!(
        "{} v{version:<4} {} {position} of {head}{rate}{left}{parked}",
        print::styled(print::STRONG, name),
        print::styled(print::GOOD, state),
    ));
    Ok(())
}
