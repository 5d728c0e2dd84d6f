//! The shape of an aggregate: decide and evolve.

use jiff::Timestamp;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::event::EventPayload;
use uuid::Uuid;

use crate::Refusal;

/// An aggregate as two pure functions.
///
/// Commands and events are the generated oneofs of the contract, so that a `match` over them is exhaustive and the
/// compiler names what a new event needs.
pub trait Decider: Send + Sync + 'static {
    /// What the aggregate remembers of its events; the default is the aggregate before its first event.
    type State: Clone + Default + Send + Sync + 'static;
    /// Everything it can be asked.
    type Command: Send + Sync + 'static;
    /// Everything that can have happened to it.
    type Event: EventPayload;

    /// The context it belongs to, as in the event's type: `registration`.
    const CONTEXT: &'static str;
    /// Its name, as in the envelope: `Initiative`.
    const AGGREGATE: &'static str;

    /// The facts that a command gives, or why it gives none. An empty list means that what is asked is so already.
    ///
    /// # Errors
    /// The [`Refusal`] names the rule that stands in the way.
    fn decide(state: &Self::State, command: &Self::Command, context: &Context) -> Result<Vec<Self::Event>, Refusal>;

    /// Takes an event into the state. It cannot refuse: the event has happened.
    fn evolve(state: &mut Self::State, event: &Self::Event);

    /// Whom the aggregate is about, for the envelope of its latest event.
    fn about(state: &Self::State) -> About;
}

/// What a decision may need to know and cannot find out by itself.
#[derive(Debug, Clone)]
pub struct Context {
    /// The business clock.
    pub now: Timestamp,
    /// The aggregate that the command is for; fresh when the command creates it.
    pub aggregate_id: Uuid,
    /// The command's id.
    pub command_id: Uuid,
    /// A fresh UUID (v7), for the one new thing that a command may need to name.
    pub new_id: Uuid,
    /// Who asks.
    pub actor: Actor,
}

// === impl Context ===

impl Context {
    /// Whether whoever asks is an organisation, or acts for it: a person or another organisation under a mandate, or the organisation
    /// itself, proved by its token. An organisation number that nobody proved is no organisation.
    pub fn acts_for(&self, orgnr: &str) -> bool {
        let actor = &self.actor;
        let itself = actor.authenticated && actor.kind == "organisation" && actor.r#ref == orgnr;
        !orgnr.is_empty() && (itself || actor.acting_for == orgnr)
    }
}

/// Whom an event concerns: filters, partitions and timelines go by this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The organisation; the aggregate's own id when there is none yet.
    pub organisation_id: Option<Uuid>,
    /// Its organisation number, when it has one.
    pub orgnr: Option<String>,
    /// Its municipality, when known.
    pub kommunenummer: Option<String>,
    /// Other organisations and cases that the event concerns.
    pub related: Vec<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGNR: &str = "245915101";

    fn by(kind: &str, who: &str, acting_for: &str, authenticated: bool) -> Context {
        let actor = Actor {
            kind: kind.into(),
            r#ref: who.into(),
            acting_for: acting_for.into(),
            authenticated,
            ..Actor::default()
        };
        Context {
            actor,
            ..crate::scenario::context()
        }
    }

    #[test]
    fn an_organisation_acts_for_itself_when_a_token_proves_it() {
        assert!(by("organisation", ORGNR, "", true).acts_for(ORGNR));
        assert!(!by("organisation", ORGNR, "", false).acts_for(ORGNR));
        assert!(!by("platform", ORGNR, "", true).acts_for(ORGNR));
        assert!(!by("organisation", "225522952", "", true).acts_for(ORGNR));
    }

    #[test]
    fn others_act_for_an_organisation_when_they_say_so() {
        assert!(by("person", "p", ORGNR, false).acts_for(ORGNR));
        assert!(by("platform", "225522952", ORGNR, true).acts_for(ORGNR));
        assert!(!by("person", "p", "", false).acts_for(""));
    }
}
