//! A subscription: who follows which facts, on which legal basis, until when (handbook 10 and 11).

mod decide;
mod refusals;
#[cfg(test)]
mod tests;

use ryggrad_decider::{About, Context, Decider, Refusal};
use ryggrad_proto::ecosystem::v1 as pb;
use ryggrad_proto::ecosystem::v1::subscription_command::Command;
use ryggrad_proto::ecosystem::v1::subscription_event::Event;

/// The aggregate.
#[derive(Debug)]
pub struct Subscription;

/// What a subscription remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum State {
    /// Nobody has asked for it.
    #[default]
    Unknown,
    /// It was approved.
    Approved(Box<pb::SubscriptionApproved>),
    /// It has ended.
    Ended(Box<pb::SubscriptionApproved>, pb::SubscriptionEnded),
}

// === impl State ===

impl State {
    /// What was approved, also when it has ended.
    pub fn approved(&self) -> Option<&pb::SubscriptionApproved> {
        match self {
            Self::Unknown => None,
            Self::Approved(approved) | Self::Ended(approved, _) => Some(approved),
        }
    }

    /// How it ended.
    pub fn ended(&self) -> Option<&pb::SubscriptionEnded> {
        match self {
            Self::Unknown | Self::Approved(_) => None,
            Self::Ended(_, ended) => Some(ended),
        }
    }
}

// === impl Subscription ===

impl Decider for Subscription {
    type State = State;
    type Command = Command;
    type Event = Event;

    const CONTEXT: &'static str = crate::CONTEXT;
    const AGGREGATE: &'static str = "Subscription";

    fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Subscribe(command) => decide::subscribe(state, command, context),
            Command::Unsubscribe(command) => decide::unsubscribe(state, command),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::SubscriptionApproved(approved) => *state = State::Approved(Box::new(approved.clone())),
            Event::SubscriptionEnded(ended) => {
                if let State::Approved(approved) = std::mem::take(state) {
                    *state = State::Ended(approved, ended.clone());
                }
            }
        }
    }

    fn about(state: &State) -> About {
        About {
            orgnr: state.approved().map(|approved| approved.subscriber.clone()),
            ..About::default()
        }
    }
}
