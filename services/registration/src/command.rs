//! A command of any of the four aggregates, for those that send commands by themselves: reactions, timers and the register.

use prost::Message as _;
use ryggrad_decider::Decider as _;
use ryggrad_eventlog::order::{Again, Carried, Order, carried};
use ryggrad_eventlog::{Executor, Request};
use ryggrad_proto::CommandPayload;
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use uuid::Uuid;

use crate::founding::Founding;
use crate::initiative::Initiative;
use crate::organisation::Organisation;
use crate::registration_case::RegistrationCase;
use crate::service::Registration;

/// A command of one of the service's aggregates.
#[expect(clippy::large_enum_variant, reason = "few are alive at a time, and none is kept")]
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// To an initiative.
    Initiative(pb::initiative_command::Command),
    /// To a founding.
    Founding(pb::founding_command::Command),
    /// To a registration case.
    Case(pb::registration_case_command::Command),
    /// To an organisation.
    Organisation(pb::organisation_command::Command),
}

/// Bytes that are no command of that aggregate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a command to {0}")]
pub struct NotACommand(pub String);

macro_rules! from {
    ($($oneof:ident => $variant:ident;)*) => {
        $(
            impl From<pb::$oneof::Command> for Command {
                fn from(command: pb::$oneof::Command) -> Self {
                    Self::$variant(command)
                }
            }
        )*
    };
}

from! {
    initiative_command => Initiative;
    founding_command => Founding;
    registration_case_command => Case;
    organisation_command => Organisation;
}

// === impl Command ===

impl Command {
    /// The kind of aggregate that it is for.
    pub const fn aggregate_type(&self) -> &'static str {
        match self {
            Self::Initiative(_) => Initiative::AGGREGATE,
            Self::Founding(_) => Founding::AGGREGATE,
            Self::Case(_) => RegistrationCase::AGGREGATE,
            Self::Organisation(_) => Organisation::AGGREGATE,
        }
    }

    /// The aggregate that it is for; none when its id is no UUID.
    pub fn aggregate_id(&self) -> Option<Uuid> {
        let id = match self {
            Self::Initiative(command) => command.aggregate_id(),
            Self::Founding(command) => command.aggregate_id(),
            Self::Case(command) => command.aggregate_id(),
            Self::Organisation(command) => command.aggregate_id(),
        };
        Uuid::try_parse(id).ok()
    }

    /// Its bytes, as a deadline keeps them.
    pub fn encode(&self) -> Vec<u8> {
        match self.clone() {
            Self::Initiative(command) => pb::InitiativeCommand { command: Some(command) }.encode_to_vec(),
            Self::Founding(command) => pb::FoundingCommand { command: Some(command) }.encode_to_vec(),
            Self::Case(command) => pb::RegistrationCaseCommand { command: Some(command) }.encode_to_vec(),
            Self::Organisation(command) => pb::OrganisationCommand { command: Some(command) }.encode_to_vec(),
        }
    }

    /// The command in bytes that a deadline kept.
    ///
    /// # Errors
    /// When they are none of that kind of aggregate.
    pub fn decode(aggregate_type: &str, bytes: &[u8]) -> Result<Self, NotACommand> {
        let command = match aggregate_type {
            Initiative::AGGREGATE => pb::InitiativeCommand::decode(bytes)
                .ok()
                .and_then(|c| c.command)
                .map(Self::Initiative),
            Founding::AGGREGATE => pb::FoundingCommand::decode(bytes)
                .ok()
                .and_then(|c| c.command)
                .map(Self::Founding),
            RegistrationCase::AGGREGATE => pb::RegistrationCaseCommand::decode(bytes)
                .ok()
                .and_then(|c| c.command)
                .map(Self::Case),
            Organisation::AGGREGATE => pb::OrganisationCommand::decode(bytes)
                .ok()
                .and_then(|c| c.command)
                .map(Self::Organisation),
            _ => None,
        };
        command.ok_or_else(|| NotACommand(aggregate_type.to_owned()))
    }
}

// === impl Registration ===

impl Registration {
    /// Carries out a command that nobody sent, as the actor that stands behind it.
    ///
    /// # Errors
    /// [`Again`] when it is not known how it ended.
    pub async fn carry_out(&self, order: Order<Command>, actor: &Actor) -> Result<Carried, Again> {
        match order.command.clone() {
            Command::Initiative(command) => carry(&self.initiatives, order, command, actor).await,
            Command::Founding(command) => carry(&self.foundings, order, command, actor).await,
            Command::Case(command) => carry(&self.cases, order, command, actor).await,
            Command::Organisation(command) => carry(&self.organisations, order, command, actor).await,
        }
    }
}

async fn carry<D>(
    executor: &Executor<D>,
    order: Order<Command>,
    command: D::Command,
    actor: &Actor,
) -> Result<Carried, Again>
where
    D: ryggrad_decider::Decider,
{
    match request(order, command, actor) {
        Some(request) => carried(Box::pin(executor.execute(request)).await),
        None => Ok(Carried::Failed("the command names no aggregate".to_owned())),
    }
}

/// The request of a command that nobody sent; none when it names no aggregate.
pub(crate) fn request<C>(order: Order<Command>, command: C, actor: &Actor) -> Option<Request<C>> {
    Some(Request {
        command,
        aggregate_id: order.command.aggregate_id()?,
        command_id: order.id,
        expected_version: None,
        actor: actor.clone(),
        correlation_id: Some(order.correlation_id),
        causation: Some(order.causation),
        traceparent: order.traceparent,
    })
}
