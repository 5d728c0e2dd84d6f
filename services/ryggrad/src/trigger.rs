//! `ryggrad trigger`: real commands against the running backbone, for those who build a receiver and want something to come.

mod register;

use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use futures::StreamExt as _;
use ryggrad_client::{Client, Cursor, Filter, Message, Options, Start};
use serde_json::json;

use crate::demo::{self, Voice};
use crate::exit::Exit;
use crate::print::{self, FAINT, STRONG, styled};
use crate::running::{Running, Stores};
use crate::tail::line;
use crate::{import, servers};

pub use self::register::{Brought, Register};

pub(crate) const EXAMPLES: &str = "\
Examples:
  ryggrad trigger list                    which scenarios there are, and what each brings
  ryggrad trigger registered              a new organisation in Enhetsregisteret
  ryggrad trigger dissolved --count 3     three organisations that report their dissolution
  ryggrad trigger deleted --kommune 4203 --json
  ryggrad trigger whole-life              from the first idea to Grasrotandelen (needs `up --clock simulated`)";

/// How long facts may be on their way to a subscriber.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time between signs of life while they are.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Make something happen.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What is to happen; `list` explains each.
    #[arg(value_enum, value_name = "SCENARIO", hide_possible_values = true)]
    scenario: Asked,
    /// To how many organisations, one after the other; each is a new one.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// Municipality of those that the register tells of.
    #[arg(long, default_value = "4203", value_name = "NUMBER", value_parser = register::kommune)]
    kommune: ryggrad_norway::KommuneNumber,
    /// Print the facts as they reach a subscriber, one JSON object a line.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    stores: Stores,
}

/// A scenario, or the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    List,
    One(Scenario),
}

/// What can be made to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Three neighbours found an association, through the commands of an app
    Founded,
    /// An organisation is registered in Enhetsregisteret
    Registered,
    /// An organisation is registered and entered in Frivillighetsregisteret
    EnteredVoluntaryRegister,
    /// An organisation has changed its name and its address
    DetailsChanged,
    /// An organisation is approved for Grasrotandelen
    GrasrotApproved,
    /// An organisation in Grasrotandelen is excluded for a year
    GrasrotExcluded,
    /// An organisation in Grasrotandelen has reported its dissolution
    Dissolved,
    /// An organisation has revoked its dissolution
    DissolutionRevoked,
    /// An organisation has left Frivillighetsregisteret
    LeftVoluntaryRegister,
    /// An organisation in Grasrotandelen is deleted
    Deleted,
    /// A club from the first idea to Grasrotandelen; months pass, so the clock must be a simulated one
    WholeLife,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<Exit> {
    let Asked::One(scenario) = args.scenario else {
        return list(args.json);
    };
    for _ in 0..args.count {
        match scenario {
            Scenario::Founded => told(&args, &founded(&args).await?),
            Scenario::WholeLife => told(&args, &whole_life(&args).await?),
            Scenario::Registered
            | Scenario::EnteredVoluntaryRegister
            | Scenario::DetailsChanged
            | Scenario::GrasrotApproved
            | Scenario::GrasrotExcluded
            | Scenario::Dissolved
            | Scenario::DissolutionRevoked
            | Scenario::LeftVoluntaryRegister
            | Scenario::Deleted => registered(&args, scenario).await?,
        }
    }
    Ok(Exit::Done)
}

/// The register tells, and what it told is shown as a subscriber gets it.
async fn registered(args: &Args, scenario: Scenario) -> anyhow::Result<()> {
    let url = args.running.http()?;
    let postgres = args.running.postgres_url(&args.stores, "ryggrad_registration")?;
    let pool = servers::pool(&postgres, "registration", 2).await?;
    let clock = import::clock(&args.running, &args.stores, &pool).await?;
    let brought = Register::new(pool, clock).bring(scenario, args.kommune).await?;
    let filter = Filter::new().organisations([brought.organisation_id.to_string()]);
    let start = Start::From(Cursor {
        epoch: String::new(),
        position: brought.first_position.saturating_sub(1),
    });
    let options = Options {
        heartbeat: HEARTBEAT,
        ..Options::default()
    };
    let mut subscription = Client::connect(&url).await?.subscribe_with(start, filter, options);
    let show = async {
        while let Some(message) = subscription.next().await {
            let message = message?;
            if let Message::Event(event) = &message {
                print::line(if args.json {
                    line::json(event)?
                } else {
                    line::human(event)
                });
            }
            if message.position() >= brought.last_position {
                break;
            }
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, show)
        .await
        .context("it happened, but no subscriber has heard of it")?
}

/// The founding of the demonstration's story, by itself.
async fn founded(args: &Args) -> anyhow::Result<String> {
    let channel = args.running.channel().await?;
    demo::founding(channel, |party| args.running.bearer(party), voice(args)).await
}

/// The story of the demonstration.
async fn whole_life(args: &Args) -> anyhow::Result<String> {
    let channel = demo::simulated(&args.running).await?;
    let channel = channel.context("months pass in a whole life: start the backbone with `up --clock simulated`")?;
    demo::story(channel, |party| args.running.bearer(party), voice(args)).await
}

fn voice(args: &Args) -> Voice {
    if args.json { Voice::Json } else { Voice::People }
}

/// Says which organisation it was.
fn told(args: &Args, organisation: &str) {
    if !args.json {
        print::line(styled(FAINT, format!("organisation {organisation}")));
    }
}

fn list(json: bool) -> anyhow::Result<Exit> {
    for scenario in Scenario::value_variants() {
        let Some(value) = scenario.to_possible_value() else {
            continue;
        };
        let what = value.get_help().map(ToString::to_string).unwrap_or_default();
        if json {
            print::json(&json!({ "scenario": value.get_name(), "what": what, "facts": scenario.facts() }))?;
            continue;
        }
        print::line(format!(
            "{}  {what}",
            styled(STRONG, format!("{:<26}", value.get_name()))
        ));
        print::line(styled(FAINT, format!("{:<26}  {}", "", scenario.facts().join(", "))));
    }
    Ok(Exit::Done)
}

// === impl Scenario ===

impl Scenario {
    /// The facts that tell the scenario, last ones last; others come with them.
    pub fn facts(self) -> &'static [&'static str] {
        match self {
            Self::Founded => &[
                "FoundingPlanned",
                "FoundingMeetingHeld",
                "BoardElected",
                "OrganisationOpened",
            ],
            Self::Registered => &["OrganisationRegistered"],
            Self::EnteredVoluntaryRegister => &["OrganisationRegistered", "VoluntaryRegistrationEntered"],
            Self::DetailsChanged => &["OrganisationRegistered", "OrganisationDetailsChanged"],
            Self::GrasrotApproved => &["VoluntaryRegistrationEntered", "GrasrotParticipationApproved"],
            Self::GrasrotExcluded => &["GrasrotParticipationApproved", "GrasrotExclusionImposed"],
            Self::Dissolved => &["GrasrotParticipationApproved", "DissolutionReported"],
            Self::DissolutionRevoked => &["DissolutionReported", "DissolutionRevoked"],
            Self::LeftVoluntaryRegister => &["VoluntaryRegistrationEntered", "VoluntaryRegistrationDeleted"],
            Self::Deleted => &["GrasrotParticipationApproved", "OrganisationDeleted"],
            Self::WholeLife => &[
                "InitiativeOpened",
                "FoundingMeetingHeld",
                "RegistrationSubmitted",
                "OrganisationRegistered",
                "VoluntaryRegistrationEntered",
                "GrasrotParticipationApproved",
            ],
        }
    }
}

// === impl Asked ===

impl ValueEnum for Asked {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: &[Asked] = &[
            Asked::List,
            Asked::One(Scenario::Founded),
            Asked::One(Scenario::Registered),
            Asked::One(Scenario::EnteredVoluntaryRegister),
            Asked::One(Scenario::DetailsChanged),
            Asked::One(Scenario::GrasrotApproved),
            Asked::One(Scenario::GrasrotExcluded),
            Asked::One(Scenario::Dissolved),
            Asked::One(Scenario::DissolutionRevoked),
            Asked::One(Scenario::LeftVoluntaryRegister),
            Asked::One(Scenario::Deleted),
            Asked::One(Scenario::WholeLife),
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::List => Some(clap::builder::PossibleValue::new("list").help("Explain each scenario")),
            Self::One(scenario) => scenario.to_possible_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_can_be_asked_for_and_names_facts_of_the_contracts() {
        assert_eq!(Asked::value_variants().len(), Scenario::value_variants().len() + 1);
        for scenario in Scenario::value_variants() {
            assert!(Asked::value_variants().contains(&Asked::One(*scenario)), "{scenario:?}");
            for fact in scenario.facts() {
                assert!(ryggrad_proto::event_type("registration", fact).is_some(), "{fact}");
            }
        }
    }
}
