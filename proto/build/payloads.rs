//! `EventPayload` for every aggregate's event oneof and `CommandPayload` for its command oneof.

use std::fmt::Write as _;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// Writes the implementations; the naming rule is `<Aggregate>Event { oneof event }` and `<Aggregate>Command { oneof command }`.
pub(crate) fn generate(pool: &DescriptorPool) -> String {
    let mut code = String::new();
    let mut all = Vec::new();
    for message in pool
        .all_messages()
        .filter(|message| message.package_name().starts_with("ryggrad."))
    {
        if let Some(members) = members(&message, "Event", "event") {
            events(&mut code, &message, &members);
            all.extend(members);
        }
        if let Some(members) = members(&message, "Command", "command") {
            commands(&mut code, &message, &members);
        }
    }
    canonical(&mut code, all);
    code
}

/// The JSON of every event by its context and name: by its Rust type, which is many times quicker than by its descriptor.
fn canonical(code: &mut String, mut members: Vec<Member>) {
    let key = |member: &Member| (context(&member.message), member.message.name().to_owned());
    members.sort_by_key(key);
    members.dedup_by_key(|member| key(member));
    let mut arms = String::new();
    for member in &members {
        writeln!(
            arms,
            "({:?}, {:?}) => write::<{}>(data, out),",
            context(&member.message),
            member.message.name(),
            member.path()
        )
        .expect("writing to a string cannot fail");
    }
    write!(
        code,
        "pub(crate) fn canonical(context: &str, name: &str, data: &[u8], out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<bool, crate::event::Unreadable> {{
            fn write<M: ::prost::Message + ::core::default::Default + ::serde::Serialize>(data: &[u8], out: &mut ::std::vec::Vec<u8>) -> ::core::result::Result<bool, crate::event::Unreadable> {{
                let message = M::decode(data)?;
                ::serde_json::to_writer(out, &message)?;
                ::core::result::Result::Ok(true)
            }}
            match (context, name) {{ {arms} _ => ::core::result::Result::Ok(false) }}
        }}\n"
    )
    .expect("writing to a string cannot fail");
}

/// Second segment of the package: `registration`.
fn context(message: &MessageDescriptor) -> String {
    message.package_name().split('.').nth(1).unwrap_or_default().to_owned()
}

/// One alternative of a oneof: its Rust variant and its message.
struct Member {
    variant: String,
    message: MessageDescriptor,
}

impl Member {
    fn path(&self) -> String {
        path(&self.message)
    }
}

fn members(message: &MessageDescriptor, suffix: &str, oneof: &str) -> Option<Vec<Member>> {
    if !message.name().ends_with(suffix) {
        return None;
    }
    let oneof = message.oneofs().find(|candidate| candidate.name() == oneof)?;
    Some(oneof.fields().map(|field| member(&field)).collect())
}

fn member(field: &FieldDescriptor) -> Member {
    let Kind::Message(message) = field.kind() else {
        panic!("{}: an alternative must be a message", field.full_name());
    };
    assert_eq!(
        field.name().to_upper_camel_case(),
        message.name().to_upper_camel_case(),
        "{}: an alternative is named after its message",
        field.full_name()
    );
    Member {
        variant: field.name().to_upper_camel_case(),
        message,
    }
}

fn events(code: &mut String, message: &MessageDescriptor, members: &[Member]) {
    let oneof = format!("{}::{}::Event", module(message), message.name().to_snake_case());
    let arms = |arm: &dyn Fn(&Member) -> String| members.iter().map(arm).collect::<Vec<_>>().join("\n");
    write!(
        code,
        "impl crate::event::EventPayload for {oneof} {{
            fn name(&self) -> &'static str {{ match self {{ {names} }} }}
            fn class(&self) -> crate::options::v1::PrivacyClass {{ match self {{ {classes} }} }}
            fn encode(&self) -> ::std::vec::Vec<u8> {{ match self {{ {encodes} }} }}
            fn json(&self) -> ::serde_json::Result<::std::string::String> {{ match self {{ {jsons} }} }}
            fn decode(name: &str, data: &[u8]) -> ::core::result::Result<::core::option::Option<Self>, ::prost::DecodeError> {{
                match name {{ {decodes} _ => ::core::result::Result::Ok(::core::option::Option::None) }}
            }}
            fn from_json(name: &str, json: ::serde_json::Value) -> ::serde_json::Result<::core::option::Option<Self>> {{
                match name {{ {reads} _ => ::core::result::Result::Ok(::core::option::Option::None) }}
            }}
            const NAMES: &'static [&'static str] = &[{all}];
        }}\n",
        names = arms(&|m| format!("Self::{}(_) => {:?},", m.variant, m.message.name())),
        reads = arms(&|m| format!(
            "{:?} => ::serde_json::from_value::<{}>(json).map(|event| ::core::option::Option::Some(Self::{}(event))),",
            m.message.name(),
            m.path(),
            m.variant
        )),
        classes = arms(&|m| format!(
            "Self::{}(_) => crate::options::v1::PrivacyClass::{},",
            m.variant,
            class(&m.message)
        )),
        encodes = arms(&|m| format!("Self::{}(event) => ::prost::Message::encode_to_vec(event),", m.variant)),
        jsons = arms(&|m| format!("Self::{}(event) => ::serde_json::to_string(event),", m.variant)),
        decodes = arms(&|m| format!(
            "{:?} => <{} as ::prost::Message>::decode(data).map(|event| ::core::option::Option::Some(Self::{}(event))),",
            m.message.name(),
            m.path(),
            m.variant
        )),
        all = members.iter().map(|m| format!("{:?}", m.message.name())).collect::<Vec<_>>().join(", "),
    )
    .expect("writing to a string cannot fail");
    conversions(code, &oneof, members);
}

fn commands(code: &mut String, message: &MessageDescriptor, members: &[Member]) {
    let oneof = format!("{}::{}::Command", module(message), message.name().to_snake_case());
    let arms = |arm: &dyn Fn(&Member) -> String| members.iter().map(arm).collect::<Vec<_>>().join("\n");
    write!(
        code,
        "impl crate::command::CommandPayload for {oneof} {{
            fn name(&self) -> &'static str {{ match self {{ {names} }} }}
            fn meta(&self) -> ::core::option::Option<&crate::common::v1::CommandMeta> {{ match self {{ {metas} }} }}
            fn meta_mut(&mut self) -> &mut crate::common::v1::CommandMeta {{ match self {{ {metas_mut} }} }}
            fn aggregate_id(&self) -> &str {{ match self {{ {ids} }} }}
            fn aggregate_field(&self) -> &'static str {{ match self {{ {fields} }} }}
            fn set_aggregate_id(&mut self, id: ::std::string::String) {{ match self {{ {sets} }} }}
            fn party(&self) -> crate::command::Party<'_> {{ match self {{ {parties} }} }}
            fn scope(&self) -> &'static str {{ match self {{ {scopes} }} }}
            fn orgnr(&self) -> ::core::option::Option<(&'static str, &str)> {{ match self {{ {numbers} }} }}
            fn references(&self) -> ::std::vec::Vec<(&'static str, &str)> {{ match self {{ {references} }} }}
            const NAMES: &'static [&'static str] = &[{all}];
        }}\n",
        names = arms(&|m| format!("Self::{}(_) => {:?},", m.variant, m.message.name())),
        metas = arms(&|m| format!("Self::{}(command) => command.meta.as_ref(),", m.variant)),
        metas_mut = arms(&|m| format!("Self::{}(command) => command.meta.get_or_insert_default(),", m.variant)),
        ids = arms(&|m| format!("Self::{}(command) => &command.{},", m.variant, id_field(&m.message))),
        fields = arms(&|m| format!("Self::{}(_) => {:?},", m.variant, id_field(&m.message))),
        sets = arms(&|m| format!("Self::{}(command) => command.{} = id,", m.variant, id_field(&m.message))),
        parties = arms(&|m| party(m)),
        scopes = arms(&|m| format!("Self::{}(_) => {:?},", m.variant, scope(&m.message))),
        numbers = arms(&|m| orgnr(m)),
        references = arms(&|m| references(m)),
        all = members
            .iter()
            .map(|m| format!("{:?}", m.message.name()))
            .collect::<Vec<_>>()
            .join(", "),
    )
    .expect("writing to a string cannot fail");
    conversions(code, &oneof, members);
}

/// What a command's option says under a name.
fn command_option(message: &MessageDescriptor, name: &str) -> Option<Value> {
    let options = message.options();
    let (_, option) = options
        .extensions()
        .find(|(extension, _)| extension.full_name() == "ryggrad.options.v1.command")?;
    let value = option.as_message()?.get_field_by_name(name)?;
    Some(value.into_owned())
}

fn option_text(message: &MessageDescriptor, name: &str) -> String {
    let value = command_option(message, name);
    value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The scope that a command's token needs.
fn scope(message: &MessageDescriptor) -> String {
    match option_text(message, "scope") {
        named if !named.is_empty() => named,
        _ if command_option(message, "authority") == Some(Value::Bool(true)) => "ryggrad:authority.write".to_owned(),
        _ => "ryggrad:commands.write".to_owned(),
    }
}

/// Whose command it is, as its option says.
fn party(member: &Member) -> String {
    let Member { variant, message } = member;
    let set = |name: &str| command_option(message, name) == Some(Value::Bool(true));
    let field = option_text(message, "party_field");
    if set("authority") {
        format!("Self::{variant}(_) => crate::command::Party::Authority,")
    } else if set("timer") || set("internal") {
        format!("Self::{variant}(_) => crate::command::Party::Nobody,")
    } else if set("open") {
        format!("Self::{variant}(_) => crate::command::Party::Anybody,")
    } else if !field.is_empty() {
        let known = message
            .get_field_by_name(&field)
            .is_some_and(|field| field.kind() == Kind::String && !field.is_list());
        assert!(known, "{}: party_field names a string field", message.full_name());
        format!("Self::{variant}(command) => crate::command::Party::Organisation({field:?}, &command.{field}),")
    } else {
        format!("Self::{variant}(_) => crate::command::Party::Owner,")
    }
}

/// The number of the organisation that a command says it is about.
fn orgnr(member: &Member) -> String {
    let Member { variant, message } = member;
    let field = option_text(message, "orgnr_field");
    if field.is_empty() {
        return format!("Self::{variant}(_) => ::core::option::Option::None,");
    }
    let text = text_at(message, "command", &field);
    format!(
        "Self::{variant}(command) => ::core::option::Option::Some(({field:?}, {text})).filter(|(_, number)| !number.is_empty()),"
    )
}

/// Reads the text at a path of fields.
fn text_at(message: &MessageDescriptor, variable: &str, path: &str) -> String {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let field = message.get_field_by_name(name).filter(|field| !field.is_list());
    match (field.map(|field| field.kind()), rest) {
        (Some(Kind::String), "") => format!("{variable}.{name}.as_str()"),
        (Some(Kind::Message(inner)), rest) if !rest.is_empty() => {
            let text = text_at(&inner, "inner", rest);
            format!("{variable}.{name}.as_ref().map_or(\"\", |inner| {text})")
        }
        _ => panic!("{}: {path} leads to no text", message.full_name()),
    }
}

/// Ids of other aggregates of the same service that a command names.
fn references(member: &Member) -> String {
    let Member { variant, message } = member;
    let named = message.fields().filter(|field| {
        field.number() > 2
            && field.kind() == Kind::String
            && !field.is_list()
            && ["initiative_id", "founding_id", "case_id", "organisation_id"].contains(&field.name())
    });
    let list: Vec<String> = named
        .map(|field| {
            let name = field.name();
            if field.supports_presence() {
                format!("({name:?}, command.{name}.as_deref().unwrap_or_default())")
            } else {
                format!("({name:?}, command.{name}.as_str())")
            }
        })
        .collect();
    if list.is_empty() {
        format!("Self::{variant}(_) => ::std::vec::Vec::new(),")
    } else {
        format!("Self::{variant}(command) => ::std::vec![{}],", list.join(", "))
    }
}

/// `From<Message>` for the oneof, so that a caller need not name the variant.
fn conversions(code: &mut String, oneof: &str, members: &[Member]) {
    for member in members {
        writeln!(
            code,
            "impl ::core::convert::From<{path}> for {oneof} {{ fn from(message: {path}) -> Self {{ Self::{}(message) }} }}",
            member.variant,
            path = member.path(),
        )
        .expect("writing to a string cannot fail");
    }
}

/// The field that carries the aggregate's id: number 2, a string, right after `meta`.
fn id_field(message: &MessageDescriptor) -> String {
    let meta = message.get_field(1).is_some_and(|field| field.name() == "meta");
    assert!(meta, "{}: field 1 of a command is `meta`", message.full_name());
    match message.get_field(2) {
        Some(field) if field.kind() == Kind::String && field.name().ends_with("_id") && !field.is_list() => {
            field.name().to_owned()
        }
        _ => panic!("{}: field 2 of a command is its aggregate's id", message.full_name()),
    }
}

/// The variant of the privacy class that an event message names in its option.
fn class(message: &MessageDescriptor) -> &'static str {
    let options = message.options();
    let named = options
        .extensions()
        .find(|(extension, _)| extension.full_name() == "ryggrad.options.v1.event")
        .and_then(|(_, value)| value.as_message().and_then(class_number));
    match named {
        Some(1) => "Public",
        Some(2) => "Org",
        Some(3) => "Pers",
        Some(4) => "Conf",
        _ => panic!("{}: an event names its privacy class", message.full_name()),
    }
}

fn class_number(options: &DynamicMessage) -> Option<i32> {
    options
        .get_field_by_name("class")
        .as_deref()
        .and_then(Value::as_enum_number)
}

fn module(message: &MessageDescriptor) -> String {
    let package = message.package_name().trim_start_matches("ryggrad.").replace('.', "::");
    format!("crate::{package}")
}

fn path(message: &MessageDescriptor) -> String {
    assert!(
        message.parent_message().is_none(),
        "{}: events and commands are top-level messages",
        message.full_name()
    );
    format!("{}::{}", module(message), message.name().to_upper_camel_case())
}
