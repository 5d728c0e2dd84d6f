//! The aggregate that the benchmark writes: one small, real event a command, the same for both contestants.

use ryggrad_decider::{About, Context, Decider, Refusal};
use ryggrad_proto::registration::v1::TrialActivityHeld;
use ryggrad_proto::registration::v1::initiative_event::Event;

/// Counts activities.
#[derive(Debug)]
pub(super) struct Counter;

/// An activity with so many participants was held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold(pub(super) u32);

impl Decider for Counter {
    type State = u64;
    type Command = Hold;
    type Event = Event;

    const CONTEXT: &'static str = "registration";
    const AGGREGATE: &'static str = "Initiative";

    fn decide(_state: &u64, command: &Hold, context: &Context) -> Result<Vec<Event>, Refusal> {
        Ok(vec![Event::TrialActivityHeld(TrialActivityHeld {
            initiative_id: context.aggregate_id.to_string(),
            date: "2026-03-02".into(),
            participants_count: command.0,
            volunteers_count: 2,
            hours: 3,
            ..TrialActivityHeld::default()
        })])
    }

    fn evolve(state: &mut u64, _event: &Event) {
        *state += 1;
    }

    fn about(_state: &u64) -> About {
        About {
            kommunenummer: Some("4203".into()),
            ..About::default()
        }
    }
}
