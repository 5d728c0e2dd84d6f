//! What the contracts say about every event and command beside its type: read from descriptors, options and comments.

use std::sync::OnceLock;

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, ServiceDescriptor, Value,
};

use crate::options::v1::PrivacyClass;

/// One event of the catalogue.
#[derive(Debug, Clone)]
pub struct EventType {
    /// Context that owns it, for example `registration`.
    pub context: String,
    /// Aggregate that it belongs to, for example `Initiative`.
    pub aggregate: String,
    /// Name of its message, for example `InitiativeSketched`.
    pub name: String,
    /// CloudEvents type, for example `no.ryggrad.registration.InitiativeSketched.v1`.
    pub ce_type: String,
    /// Whom it may reach.
    pub class: PrivacyClass,
    /// The Norwegian term, in bokmål.
    pub norwegian_term: String,
    /// Official phase of the life event, 1 to 6; 0 for what holds the ecosystem together.
    pub phase: u32,
    /// Stakeholder codes whose views change.
    pub views: Vec<String>,
    /// The comment on the message.
    pub doc: String,
    /// Its fields, in the order of the contract.
    pub fields: Vec<Field>,
    /// Descriptor of the message, for reading it without its Rust type.
    pub message: MessageDescriptor,
}

/// One command of the catalogue.
#[derive(Debug, Clone)]
pub struct CommandType {
    /// Context that owns it, for example `registration`.
    pub context: String,
    /// Aggregate that decides on it, for example `Initiative`.
    pub aggregate: String,
    /// Name of its message, for example `SketchInitiative`.
    pub name: String,
    /// Full name of its rpc; `None` when it cannot be sent from outside.
    pub rpc: Option<String>,
    /// HTTP method and path template of the rpc.
    pub http: Option<(String, String)>,
    /// The decision belongs to an outside authority and enters only through the register port.
    pub authority: bool,
    /// Only a timer of the service itself sends it.
    pub timer: bool,
    /// Only a reaction or an import of the service itself sends it.
    pub internal: bool,
    /// The comment on the message.
    pub doc: String,
    /// Its fields, in the order of the contract.
    pub fields: Vec<Field>,
}

/// One field of a message.
#[derive(Debug, Clone)]
pub struct Field {
    /// Name in the contract.
    pub name: String,
    /// Name in JSON.
    pub json_name: String,
    /// Type as written in the contract, for example `string` or `repeated Address`.
    pub kind: String,
    /// The comment on the field.
    pub doc: String,
}

/// Every event, by context, aggregate and the order of the contract.
pub fn catalogue() -> &'static [EventType] {
    static EVENTS: OnceLock<Vec<EventType>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        members(crate::pool(), "Event", "event")
            .map(|(aggregate, message)| event(aggregate, message))
            .collect()
    })
}

/// Every command, by context, aggregate and the order of the contract.
pub fn commands() -> &'static [CommandType] {
    static COMMANDS: OnceLock<Vec<CommandType>> = OnceLock::new();
    COMMANDS.get_or_init(|| {
        members(crate::pool(), "Command", "command")
            .map(|(aggregate, message)| command(aggregate, &message))
            .collect()
    })
}

/// The event of that name in that context.
pub fn event_type(context: &str, name: &str) -> Option<&'static EventType> {
    catalogue()
        .iter()
        .find(|event| event.name == name && event.context == context)
}

// === impl EventType ===

impl EventType {
    /// Canonical proto JSON of an event of this type.
    ///
    /// # Errors
    /// When the bytes are not a message of this type.
    pub fn json(&self, data: &[u8]) -> Result<serde_json::Value, prost::DecodeError> {
        let message = DynamicMessage::decode(self.message.clone(), data)?;
        Ok(serde_json::to_value(message).unwrap_or_default())
    }
}

fn event(aggregate: String, message: MessageDescriptor) -> EventType {
    let option = option(&message, "ryggrad.options.v1.event");
    let get = |name: &str| {
        option
            .as_ref()
            .and_then(|option| option.get_field_by_name(name))
            .map(std::borrow::Cow::into_owned)
    };
    let (context, version) = context(&message);
    EventType {
        ce_type: format!("no.ryggrad.{context}.{}.{version}", message.name()),
        context,
        aggregate,
        name: message.name().to_owned(),
        class: get("class")
            .and_then(|value| value.as_enum_number())
            .and_then(|number| PrivacyClass::try_from(number).ok())
            .unwrap_or_default(),
        norwegian_term: get("norwegian_term")
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default(),
        phase: get("phase").and_then(|value| value.as_u32()).unwrap_or_default(),
        views: get("views")
            .and_then(|value| {
                Some(
                    value
                        .as_list()?
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                )
            })
            .unwrap_or_default(),
        doc: doc(&message.parent_file(), message.path()),
        fields: fields(&message),
        message,
    }
}

fn command(aggregate: String, message: &MessageDescriptor) -> CommandType {
    let option = option(message, "ryggrad.options.v1.command");
    let flag = |name: &str| {
        let value = option
            .as_ref()
            .and_then(|option| option.get_field_by_name(name)?.as_bool());
        value.unwrap_or_default()
    };
    let services = crate::pool().services().collect::<Vec<_>>();
    let rpc = services
        .iter()
        .flat_map(ServiceDescriptor::methods)
        .find(|method| method.input() == *message);
    CommandType {
        context: context(message).0,
        aggregate,
        name: message.name().to_owned(),
        http: rpc.as_ref().and_then(|method| http(&method.options())),
        rpc: rpc.map(|method| format!("{}/{}", method.parent_service().full_name(), method.name())),
        authority: flag("authority"),
        timer: flag("timer"),
        internal: flag("internal"),
        doc: doc(&message.parent_file(), message.path()),
        fields: fields(message),
    }
}

/// The alternatives of every `<Aggregate><suffix> { oneof <oneof> }`, with the aggregate's name.
fn members<'a>(
    pool: &'a DescriptorPool,
    suffix: &'a str,
    oneof: &'a str,
) -> impl Iterator<Item = (String, MessageDescriptor)> + 'a {
    pool.all_messages()
        .filter(|message| message.package_name().starts_with("ryggrad."))
        .filter_map(move |message| {
            let aggregate = message.name().strip_suffix(suffix)?.to_owned();
            let oneof = message.oneofs().find(|candidate| candidate.name() == oneof)?;
            let members: Vec<_> = oneof
                .fields()
                .filter_map(|field| field.kind().as_message().cloned())
                .collect();
            Some(members.into_iter().map(move |member| (aggregate.clone(), member)))
        })
        .flatten()
}

fn context(message: &MessageDescriptor) -> (String, String) {
    let mut segments = message.package_name().split('.').skip(1);
    (
        segments.next().unwrap_or_default().to_owned(),
        segments.next().unwrap_or_default().to_owned(),
    )
}

fn option(message: &MessageDescriptor, name: &str) -> Option<DynamicMessage> {
    let options = message.options();
    let (_, value) = options
        .extensions()
        .find(|(extension, _)| extension.full_name() == name)?;
    value.as_message().cloned()
}

fn http(options: &DynamicMessage) -> Option<(String, String)> {
    let (_, rule) = options
        .extensions()
        .find(|(extension, _)| extension.full_name() == "google.api.http")?;
    let rule = rule.as_message()?;
    ["get", "post", "put", "patch", "delete"]
        .into_iter()
        .find_map(|method| {
            let value = rule.get_field_by_name(method)?;
            let path = value.as_str().filter(|path| !path.is_empty())?;
            Some((method.to_uppercase(), path.to_owned()))
        })
}

fn fields(message: &MessageDescriptor) -> Vec<Field> {
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(|field| field.path().to_vec());
    fields
        .iter()
        .map(|field| Field {
            name: field.name().to_owned(),
            json_name: field.json_name().to_owned(),
            kind: kind(field),
            doc: doc(&message.parent_file(), field.path()),
        })
        .collect()
}

fn kind(field: &FieldDescriptor) -> String {
    if field.is_map() {
        return "map".to_owned();
    }
    let name = match field.kind() {
        Kind::Message(message) => message.name().to_owned(),
        Kind::Enum(values) => values.name().to_owned(),
        scalar => format!("{scalar:?}"),
    };
    if field.is_list() {
        format!("repeated {name}")
    } else if field.field_descriptor_proto().proto3_optional() {
        format!("optional {name}")
    } else {
        name
    }
}

/// The comment before an element, its lines joined as written.
pub(crate) fn doc(file: &FileDescriptor, path: &[i32]) -> String {
    let Some(info) = &file.file_descriptor_proto().source_code_info else {
        return String::new();
    };
    let comment = info
        .location
        .iter()
        .find(|location| location.path == path)
        .and_then(|location| {
            location
                .leading_comments
                .as_deref()
                .or(location.trailing_comments.as_deref())
        })
        .unwrap_or_default();
    comment
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .to_owned()
}
