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
