//! Given some events, when a command comes, then these facts or this refusal: tests of a decider as sentences.

use jiff::Timestamp;
use ryggrad_proto::common::v1::Actor;
use uuid::Uuid;

use crate::{Context, Decider, Refusal};

/// The past of an aggregate under test.
#[derive(Debug)]
pub struct Given<D: Decider> {
    state: D::State,
    context: Context,
}

/// What the decider answered.
#[derive(Debug)]
pub struct Then<D: Decider> {
    state: D::State,
    outcome: Result<Vec<D::Event>, Refusal>,
}

/// An aggregate to which these events have happened.
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    let mut state = D::State::default();
    for event in events {
        D::evolve(&mut state, &event);
    }
    Given {
        state,
        context: context(),
    }
}

/// A context that is the same in every run: noon on 2 March 2026, and ids that tell what they are.
pub fn context() -> Context {
    Context {
        now: Timestamp::constant(1_772_449_200, 0),
        aggregate_id: Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_00a1),
        command_id: Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_00c1),
        new_id: Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_00f1),
        actor: Actor {
            kind: "person".into(),
            r#ref: "00000000-0000-4000-8000-0000000000b1".into(),
            ..Actor::default()
        },
    }
}

// === impl Given ===

impl<D: Decider> Given<D> {
    /// At this time by the business clock.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.context.now = now;
        self
    }

    /// With this actor.
    #[must_use]
    pub fn by(mut self, actor: Actor) -> Self {
        self.context.actor = actor;
        self
    }

    /// A command comes.
    pub fn when(mut self, command: impl Into<D::Command>) -> Then<D> {
        let outcome = D::decide(&self.state, &command.into(), &self.context);
        if let Ok(events) = &outcome {
            for event in events {
                D::evolve(&mut self.state, event);
            }
        }
        Then {
            state: self.state,
            outcome,
        }
    }
}

// === impl Then ===

impl<D: Decider> Then<D> {
    /// Exactly these facts came of it.
    #[track_caller]
    pub fn then(self, expected: &[D::Event]) -> D::State
    where
        D::Event: PartialEq + std::fmt::Debug,
    {
        match self.outcome {
            Ok(events) => assert_eq!(events, expected),
            Err(refusal) => panic!("refused: {refusal}"),
        }
        self.state
    }

    /// Facts of these names came of it, in this order.
    #[track_caller]
    pub fn then_names(self, expected: &[&str]) -> (D::State, Vec<D::Event>) {
        match self.outcome {
            Ok(events) => {
                let names: Vec<_> = events.iter().map(ryggrad_proto::event::EventPayload::name).collect();
                assert_eq!(names, expected);
                (self.state, events)
            }
            Err(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// It was refused, by this rule and with this code.
    #[track_caller]
    pub fn then_refused(self, rule: &str, code: &str) -> Refusal {
        match self.outcome {
            Ok(events) => panic!(
                "not refused: {:?}",
                events.iter().map(ryggrad_proto::EventPayload::name).collect::<Vec<_>>()
            ),
            Err(refusal) => {
                assert_eq!((refusal.rule.id, refusal.code), (rule, code), "{refusal}");
                for text in [&refusal.text.nb, &refusal.text.nn, &refusal.text.en] {
                    assert!(!text.is_empty(), "{code} says nothing in one of its languages");
                }
                refusal
            }
        }
    }
}
