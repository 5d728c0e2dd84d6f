//! A mandate: one organisation lets another act for it (handbook 10, fullmakt).

#[cfg(test)]
mod tests;

use ryggrad_decider::input::{self, wrong_state};
use ryggrad_decider::{About, Context, Decider, Refusal, Text, rules};
use ryggrad_norway::{OrgNumber, time};
use ryggrad_proto::ecosystem::v1 as pb;
use ryggrad_proto::ecosystem::v1::mandate_command::Command;
use ryggrad_proto::ecosystem::v1::mandate_event::Event;

/// Most commands that a mandate names.
const COMMANDS: usize = 100;

/// The aggregate.
#[derive(Debug)]
pub struct Mandate;

/// What a mandate remembers.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum State {
    /// Nobody has given it.
    #[default]
    Unknown,
    /// It is in force, as far as its last day has not passed.
    Granted(pb::MandateGranted),
    /// It was taken back.
    Revoked(pb::MandateGranted),
}

// === impl Mandate ===

impl Decider for Mandate {
    type State = State;
    type Command = Command;
    type Event = Event;

    const CONTEXT: &'static str = crate::CONTEXT;
    const AGGREGATE: &'static str = "Mandate";

    fn decide(state: &State, command: &Command, context: &Context) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::GrantMandate(command) => grant(state, command, context),
            Command::RevokeMandate(_) => revoke(state, context),
        }
    }

    fn evolve(state: &mut State, event: &Event) {
        match event {
            Event::MandateGranted(granted) => *state = State::Granted(granted.clone()),
            Event::MandateRevoked(_) => {
                if let State::Granted(granted) = std::mem::take(state) {
                    *state = State::Revoked(granted);
                }
            }
        }
    }

    fn about(state: &State) -> About {
        let orgnr = match state {
            State::Unknown => None,
            State::Granted(granted) | State::Revoked(granted) => Some(granted.from_orgnr.clone()),
        };
        About {
            orgnr,
            ..About::default()
        }
    }
}

fn grant(state: &State, c: &pb::GrantMandate, context: &Context) -> Result<Vec<Event>, Refusal> {
    if *state != State::Unknown {
        return Err(wrong_state(
            "granted",
            "Fullmakten finnes fra før. Bruk en ny id for en ny.",
            "Fullmakta finst frå før. Bruk ein ny id for ei ny.",
            "the mandate exists already: use a new id for a new one",
        )
        .at("mandate_id"));
    }
    if !context.actor.acting_for.is_empty() {
        return Err(Refusal::new(
            &rules::ACCESS,
            "NotTheOrganisation",
            Text::new(
                "Bare organisasjonen selv kan gi fullmakt, ikke noen som handler for den.",
                "Berre organisasjonen sjølv kan gje fullmakt, ikkje nokon som handlar for han.",
                "only the organisation itself can give a mandate, not somebody who acts for it",
            ),
        )
        .at("meta.actor"));
    }
    let to: OrgNumber = input::coded("to_orgnr", &c.to_orgnr)?;
    if to.as_str() == context.actor.r#ref {
        return Err(Refusal::invalid(
            "to_orgnr",
            Text::new(
                "En organisasjon trenger ikke fullmakt fra seg selv.",
                "Ein organisasjon treng ikkje fullmakt frå seg sjølv.",
                "an organisation needs no mandate from itself",
            ),
        ));
    }
    input::count("commands", c.commands.len(), 0, COMMANDS)?;
    let known = |name: &&String| !ryggrad_proto::commands().iter().any(|command| command.name == **name);
    if let Some(name) = c.commands.iter().find(known) {
        return Err(Refusal::invalid(
            "commands",
            Text::formatted(
                format!("Det finnes ingen kommando {name:?}."),
                format!("Det finst ingen kommando {name:?}."),
                format!("there is no command {name:?}"),
            ),
        ));
    }
    let until = c.until.as_deref().filter(|until| !until.is_empty());
    let until = until.map(|until| input::date("until", until)).transpose()?;
    if until.is_some_and(|until| until < time::day(context.now)) {
        return Err(Refusal::invalid(
            "until",
            Text::new(
                "Siste dag er i fortiden. Velg i dag eller senere.",
                "Siste dag er i fortida. Vel i dag eller seinare.",
                "the last day has passed: choose today or later",
            ),
        ));
    }
    let granted = pb::MandateGranted {
        mandate_id: context.aggregate_id.to_string(),
        from_orgnr: context.actor.r#ref.clone(),
        to_orgnr: to.to_string(),
        commands: c.commands.clone(),
        until: until.map(|until| until.to_string()),
    };
    Ok(vec![granted.into()])
}

/// Who gave it may take it back, and who has it may hand it back.
fn revoke(state: &State, context: &Context) -> Result<Vec<Event>, Refusal> {
    let not_there = || {
        wrong_state(
            "none",
            "Det finnes ingen fullmakt med denne id-en.",
            "Det finst inga fullmakt med denne id-en.",
            "there is no mandate with this id",
        )
        .at("mandate_id")
    };
    let (granted, revoked) = match state {
        State::Unknown => return Err(not_there()),
        State::Granted(granted) => (granted, false),
        State::Revoked(granted) => (granted, true),
    };
    let actor = &context.actor;
    let acts_as = if actor.acting_for.is_empty() {
        &actor.r#ref
    } else {
        &actor.acting_for
    };
    // Somebody else's mandate is not told apart from one that does not exist.
    if *acts_as != granted.from_orgnr && *acts_as != granted.to_orgnr {
        return Err(not_there());
    }
    if revoked {
        return Ok(Vec::new());
    }
    let event = pb::MandateRevoked {
        mandate_id: granted.mandate_id.clone(),
        from_orgnr: granted.from_orgnr.clone(),
        to_orgnr: granted.to_orgnr.clone(),
    };
    Ok(vec![event.into()])
}
