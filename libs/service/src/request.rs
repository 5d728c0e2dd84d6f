//! From a request to its message, and from a command to its receipt.

use prost::{Message, Name};
use prost_reflect::{DynamicMessage, MapKey, Value};
use ryggrad_decider::Decider;
use ryggrad_eventlog::{Executor, Log};
use ryggrad_proto::CommandPayload;
use ryggrad_proto::common::v1::{CommandMeta, Receipt};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{ApiError, Authority, current_traceparent};

/// The message of a request, when every text in it can be stored.
///
/// # Errors
/// Names the field that has a NUL character in it.
pub fn accept<M: Message + Name>(request: Request<M>) -> Result<M, ApiError> {
    let message = request.into_inner();
    check_text(&message)?;
    Ok(message)
}

/// Carries out the command of a request when its sender may send it; a service's rpc is one line:
///
/// ```ignore
/// async fn sketch_initiative(&self, request: Request<SketchInitiative>) -> Result<Response<Receipt>, Status> {
///     execute(&self.initiatives, &self.authority, request).await
/// }
/// ```
///
/// The actor of the events is the one that the request's token proves, whatever the request says about itself.
///
/// # Errors
/// As [`ApiError`] says: nobody asks, or who asks may not; the refusal, the conflict, or that the log cannot be reached.
pub async fn execute<D, M>(
    executor: &Executor<D>,
    authority: &Authority,
    request: Request<M>,
) -> Result<Response<Receipt>, Status>
where
    D: Decider,
    D::Command: CommandPayload + From<M>,
    M: Message + Name,
{
    let command = D::Command::from(accept(request)?);
    let request = with_meta(command)?;
    let request = authority.admit(request).await?;
    let receipt = executor.execute(request).await.map_err(ApiError::from)?;
    Ok(Response::new(authority.own(receipt).await?))
}

/// Writes the rpcs of a tonic service, each with the executor that carries its command out. The service has a field
/// `authority`, which decides who may send what.
///
/// ```ignore
/// #[tonic::async_trait]
/// impl Registration for Api {
///     ryggrad_service::commands! {
///         sketch_initiative(SketchInitiative) => initiatives;
///         plan_founding(PlanFounding) => foundings;
///     }
/// }
/// ```
#[macro_export]
macro_rules! commands {
    ($($rpc:ident($message:ty) => $executor:ident;)*) => {
        $(
            // What `async_trait` makes of an `async fn`: a macro inside an impl is expanded after the attribute.
            fn $rpc<'life0, 'async_trait>(
                &'life0 self,
                request: ::tonic::Request<$message>,
            ) -> ::core::pin::Pin<::std::boxed::Box<
                dyn ::core::future::Future<
                        Output = ::core::result::Result<
                            ::tonic::Response<::ryggrad_proto::common::v1::Receipt>,
                            ::tonic::Status,
                        >,
                    > + ::core::marker::Send
                    + 'async_trait,
            >>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                ::std::boxed::Box::pin($crate::request::execute(&self.$executor, &self.authority, request))
            }
        )*
    };
}

/// A command with what its meta says, ids made where none were sent. The actor is what the request says about itself,
/// marked unauthenticated: only [`Authority::admit`] makes it somebody.
///
/// # Errors
/// Names the id that is not a UUID, or that a client may not give.
pub fn with_meta<C: CommandPayload>(command: C) -> Result<ryggrad_eventlog::Request<C>, ApiError> {
    let meta = command.meta().cloned().unwrap_or_default();
    let mut command = command;
    let aggregate_id = uuid(command.aggregate_field(), command.aggregate_id())?.unwrap_or_else(fresh_id);
    command.set_aggregate_id(aggregate_id.to_string());
    let CommandMeta {
        command_id,
        expected_version,
        actor,
        correlation_id,
        causation_id,
        language: _,
    } = meta;
    let mut actor = actor.unwrap_or_default();
    actor.authenticated = false;
    let command_id = clients_id("meta.command_id", &command_id)?.unwrap_or_else(fresh_id);
    let causation_id = uuid("meta.causation_id", &causation_id)?;
    let correlation_id = uuid("meta.correlation_id", &correlation_id)?;
    let said = command.meta_mut();
    said.actor = Some(actor.clone());
    said.command_id = command_id.to_string();
    Ok(ryggrad_eventlog::Request {
        command,
        aggregate_id,
        command_id,
        expected_version,
        actor,
        correlation_id,
        causation: causation_id.map(|id| (id, 0)),
        traceparent: current_traceparent(),
    })
}

#[expect(clippy::disallowed_methods, reason = "ids are made here, at the edge")]
pub(crate) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

pub(crate) fn uuid(field: &str, text: &str) -> Result<Option<Uuid>, ApiError> {
    if text.is_empty() {
        return Ok(None);
    }
    parse_id(field, text).map(Some)
}

/// The id of a command that comes from outside. Reactions, deadlines and imports name theirs by what they follow from (version
/// 5), which anybody can work out: a client that was there first would have taken their place.
fn clients_id(field: &str, text: &str) -> Result<Option<Uuid>, ApiError> {
    match uuid(field, text)? {
        Some(id) if id.get_version_num() == 5 => Err(ApiError::invalid(
            field,
            "UUIDs of version 5 name what the backbone sends itself: take a random one, of version 4 or 7",
        )),
        id => Ok(id),
    }
}

/// An id that must be there.
///
/// # Errors
/// Names the field when it is not a UUID.
pub fn parse_id(field: &str, text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| ApiError::invalid(field, format!("{text:?} is not a UUID")))
}

/// Where the log ends: at every position that a receipt has named, or after it, since receipts are given after the commit. What is
/// read from the log after this is true for it, so no `at_least` has to be waited for.
///
/// # Errors
/// When the log cannot be read.
pub async fn as_of(log: &Log) -> Result<u64, ApiError> {
    let head = log.head().await.map_err(|error| ApiError::unreadable(&error))?;
    Ok(head.position)
}

/// Refuses NUL characters, which PostgreSQL cannot store. Other bad text does not get here: protobuf and JSON are UTF-8.
fn check_text<M: Message + Name>(message: &M) -> Result<(), ApiError> {
    let bytes = message.encode_to_vec();
    // A zero byte may also be a number; only then is it worth looking field by field.
    if !bytes.contains(&0) {
        return Ok(());
    }
    let Some(descriptor) = ryggrad_proto::pool().get_message_by_name(&M::full_name()) else {
        return Ok(());
    };
    let dynamic = DynamicMessage::decode(descriptor, bytes.as_slice()).map_err(ApiError::internal)?;
    match nul_in(&dynamic) {
        Some(field) => Err(ApiError::invalid(field, "the text contains a NUL character (U+0000)")),
        None => Ok(()),
    }
}

/// Path of the first text with a NUL character.
fn nul_in(message: &DynamicMessage) -> Option<String> {
    message.fields().find_map(|(field, value)| {
        let below = nul_in_value(value)?;
        Some(format!("{}{below}", field.name()))
    })
}

fn nul_in_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Message(message) => nul_in(message).map(|path| format!(".{path}")),
        Value::List(values) => values
            .iter()
            .enumerate()
            .find_map(|(index, value)| nul_in_value(value).map(|path| format!("[{index}]{path}"))),
        Value::Map(entries) => entries.iter().find_map(|(key, value)| match key {
            MapKey::String(key) if key.contains('\0') => Some(String::new()),
            _ => nul_in_value(value),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ryggrad_proto::events::v1::{EventFilter, ReadRequest};

    use super::*;

    #[test]
    fn a_nul_character_is_refused_by_the_name_of_its_field() {
        let filter = EventFilter {
            types: vec!["A".to_owned(), "B\0".to_owned()],
            ..EventFilter::default()
        };
        let request = ReadRequest {
            filter: Some(filter),
            ..ReadRequest::default()
        };
        let refused = check_text(&request).expect_err("a NUL");
        assert!(refused.to_string().starts_with("filter.types[1]:"), "{refused}");
    }

    #[test]
    fn zero_bytes_in_numbers_are_no_text() {
        let request = ReadRequest {
            after: 128 << 7,
            epoch: "e".to_owned(),
            ..ReadRequest::default()
        };
        assert!(check_text(&request).is_ok());
    }
}
