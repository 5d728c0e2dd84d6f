//! The event catalogue as a page.

use std::fmt::Write as _;

use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_proto::{CommandType, EventType, catalogue, commands, example};

const HEAD: &str = "# Events and commands

Generated from the contracts in `proto/` (`UPDATE=1 cargo test -p ryggrad-proto`); do not edit it.

Each event is published as CloudEvents 1.0 under its type, as protobuf bytes; the JSON below is its canonical form. Privacy
classes: PUBLIC is open data about organisations; ORG is internal to the organisation; PERS has a reference to a person, and
never more than the reference; CONF is confidential. A view code names a stakeholder whose views change; ALL is everybody with
the public scope.
";

/// The whole page.
pub(crate) fn events() -> String {
    let mut page = HEAD.to_owned();
    contents(&mut page);
    let mut context = "";
    for (aggregate_context, aggregate) in aggregates() {
        if aggregate_context != context {
            context = aggregate_context;
            line(&mut page, &format!("\n## {context}"));
        }
        line(&mut page, &format!("\n### {aggregate}"));
        let of_aggregate = |candidate: (&str, &str)| candidate == (aggregate_context, aggregate);
        command_table(
            &mut page,
            commands()
                .iter()
                .filter(|command| of_aggregate((&command.context, &command.aggregate))),
        );
        for event in catalogue()
            .iter()
            .filter(|event| of_aggregate((&event.context, &event.aggregate)))
        {
            section(&mut page, event);
        }
    }
    page
}

/// Context and name of every aggregate, by context and then as life goes.
fn aggregates() -> Vec<(&'static str, &'static str)> {
    let mut aggregates: Vec<_> = catalogue()
        .iter()
        .map(|event| (event.context.as_str(), event.aggregate.as_str()))
        .collect();
    aggregates.dedup();
    let first_phase = |aggregate: &str| {
        catalogue()
            .iter()
            .filter(|event| event.aggregate == aggregate)
            .map(|event| event.phase)
            .min()
    };
    aggregates.sort_by_key(|(context, aggregate)| (*context, first_phase(aggregate)));
    aggregates
}

fn contents(page: &mut String) {
    line(
        page,
        "\n| event | term | class | phase | aggregate |\n|---|---|---|---|---|",
    );
    for (context, aggregate) in aggregates() {
        for event in catalogue()
            .iter()
            .filter(|event| (event.context.as_str(), event.aggregate.as_str()) == (context, aggregate))
        {
            let EventType {
                name,
                norwegian_term,
                phase,
                ..
            } = event;
            let (anchor, class) = (name.to_lowercase(), class(event.class));
            line(
                page,
                &format!("| [{name}](#{anchor}) | {norwegian_term} | {class} | {phase} | {aggregate} |"),
            );
        }
    }
}

fn command_table<'a>(page: &mut String, commands: impl Iterator<Item = &'a CommandType>) {
    line(page, "\n| command | what it asks | sent by |\n|---|---|---|");
    for command in commands {
        let by = match &command.http {
            Some((method, path)) => format!("`{method} {path}`"),
            None if command.timer => "a timer".to_owned(),
            None if command.authority => "the authority, through its port".to_owned(),
            None => "the service itself, after another fact".to_owned(),
        };
        line(page, &format!("| `{}` | {} | {by} |", command.name, cell(&command.doc)));
    }
}

fn section(page: &mut String, event: &EventType) {
    let first = ryggrad_proto::event_type(&event.context, &event.name).map(|first| &first.aggregate);
    if let Some(first) = first.filter(|first| **first != event.aggregate) {
        let (name, anchor) = (&event.name, event.name.to_lowercase());
        line(page, &format!("\nAlso [{name}](#{anchor}), as under {first}."));
        return;
    }
    line(page, &format!("\n#### {}\n", event.name));
    line(page, &format!("{}\n", event.doc));
    line(
        page,
        &format!(
            "*{}* · `{}` · {} · phase {} · views {}\n",
            event.norwegian_term,
            event.ce_type,
            class(event.class),
            event.phase,
            event.views.join(", ")
        ),
    );
    line(page, "| field | type | |\n|---|---|---|");
    for field in &event.fields {
        line(
            page,
            &format!("| `{}` | {} | {} |", field.json_name, field.kind, cell(&field.doc)),
        );
    }
    let example = serde_json::to_string_pretty(&example::of(&event.message)).expect("an example has a JSON form");
    line(page, &format!("\n```json\n{example}\n```"));
}

fn class(class: PrivacyClass) -> &'static str {
    class.as_str_name().trim_start_matches("PRIVACY_CLASS_")
}

/// A comment as one cell of a table.
fn cell(doc: &str) -> String {
    doc.replace('\n', " ").replace('|', "\\|")
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("writing to a string cannot fail");
}
