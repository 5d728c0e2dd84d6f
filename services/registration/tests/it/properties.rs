//! Laws that hold for any sequence of commands: nothing panics, and states move only along their machines.

use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use ryggrad_decider::scenario::context;
use ryggrad_decider::{Decider, statuses};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::{CommandPayload, EventPayload};
use ryggrad_registration::founding::Founding;
use ryggrad_registration::initiative::Initiative;
use ryggrad_registration::organisation::Organisation;
use ryggrad_registration::registration_case::RegistrationCase;

/// The machine of an aggregate: from a state to those that it can lead to, itself included. The empty name is before the first event.
type Machine = &'static [(&'static str, &'static [&'static str])];

const INITIATIVE: Machine = &[
    ("", &["sketched"]),
    ("sketched", &["open", "proceeding", "absorbed", "paused", "abandoned"]),
    ("open", &["trialling", "proceeding", "absorbed", "paused", "abandoned"]),
    ("trialling", &["evaluated", "absorbed", "paused", "abandoned"]),
    ("evaluated", &["proceeding", "absorbed", "paused", "abandoned"]),
    // Any command brings it back; one that also moves it on skips the stage that it was paused in.
    (
        "paused",
        &[
            "sketched",
            "open",
            "trialling",
            "evaluated",
            "proceeding",
            "absorbed",
            "abandoned",
            "expired",
        ],
    ),
    ("proceeding", &[]),
    ("absorbed", &[]),
    ("abandoned", &[]),
    ("expired", &[]),
];

const FOUNDING: Machine = &[
    ("", &["planned"]),
    // A meeting that was not convened here is recorded as it was held (ADR 0025).
    ("planned", &["convened", "held", "cancelled"]),
    ("convened", &["held", "cancelled"]),
    ("held", &["documented", "cancelled"]),
    ("documented", &["completed", "cancelled"]),
    ("completed", &[]),
    ("cancelled", &[]),
];

const CASE: Machine = &[
    ("", &["draft"]),
    ("draft", &["awaiting_signatures", "withdrawn"]),
    ("awaiting_signatures", &["signed", "withdrawn", "lapsed"]),
    // A change of the content resets all signatures.
    ("signed", &["submitted", "awaiting_signatures", "withdrawn"]),
    ("submitted", &["under_review", "withdrawn"]),
    (
        "under_review",
        &["info_requested", "registered", "rejected", "withdrawn"],
    ),
    // The register decides when it will, also on a letter that nobody answered (ADR 0024).
    (
        "info_requested",
        &["under_review", "registered", "rejected", "withdrawn"],
    ),
    ("registered", &[]),
    ("rejected", &[]),
    ("withdrawn", &[]),
    ("lapsed", &[]),
];

const ORGANISATION: Machine = &[
    ("informal", &["founded", "registered"]),
    ("founded", &["registered"]),
    ("registered", &["registered_voluntary", "under_winding_up"]),
    ("registered_voluntary", &["registered", "under_winding_up"]),
    (
        "under_winding_up",
        &["registered", "registered_voluntary", "in_bankruptcy", "deleted"],
    ),
    ("in_bankruptcy", &["deleted"]),
    ("merged", &["deleted"]),
    ("deleted", &[]),
];

/// Where the register's word leads beyond the machine: whoever reads it sees the end and not the way (ADR 0024).
const ORGANISATION_TOLD: Machine = &[
    ("registered", &["in_bankruptcy", "deleted"]),
    ("registered_voluntary", &["in_bankruptcy", "deleted"]),
];

/// An association need not report its dissolution before it is deleted (handbook 8).
const ORGANISATION_DELETED: Machine = &[("registered", &["deleted"]), ("registered_voluntary", &["deleted"])];

const VOLUNTARY: Machine = &[
    ("none", &["applied", "innfoert", "refused"]),
    // An application that comes to nothing leads back to where it came from.
    ("applied", &["innfoert", "refused", "none", "slettet"]),
    ("innfoert", &["slettet"]),
    ("refused", &["applied", "innfoert"]),
    ("slettet", &["applied", "innfoert", "refused"]),
];

const GRASROT: Machine = &[
    ("not_participating", &["requested"]),
    // As above: the application that asked for it can come to nothing.
    (
        "requested",
        &["approved", "ended", "not_participating", "excluded(from-to)"],
    ),
    // One who has left Frivillighetsregisteret asks anew.
    ("approved", &["ended", "requested"]),
    ("excluded(from-to)", &["approved", "ended", "requested"]),
    ("ended", &["requested"]),
];

/// One who did not ask when it applied can ask with a notification of a change, which leaves no fact until it is approved.
const GRASROT_APPROVED: Machine = &[("not_participating", &["approved"]), ("ended", &["approved"])];

/// Exclusions, and participation that nobody applied for here, are the register's to tell.
const GRASROT_TOLD: Machine = &[
    ("not_participating", &["approved", "excluded(from-to)"]),
    ("requested", &["excluded(from-to)"]),
    ("approved", &["excluded(from-to)"]),
    ("excluded(from-to)", &["excluded(from-to)"]),
    ("ended", &["approved", "excluded(from-to)"]),
];

/// A machine that an aggregate keeps to.
struct Law<S> {
    /// Its name in the table of states.
    name: &'static str,
    machine: Machine,
    /// Steps that only these commands may take beside it.
    beside: &'static [(&'static str, Machine)],
    status: fn(&S) -> &'static str,
}

impl<S> Law<S> {
    #[track_caller]
    fn holds(&self, command: &str, before: &str, after: &str) {
        let known = statuses::of(self.name).expect("the table of states has it");
        assert!(known.contains(&after), "{after} is no state of {}", self.name);
        let beside = self
            .beside
            .iter()
            .filter(|(of, _)| *of == command)
            .map(|(_, machine)| *machine);
        let allowed = std::iter::once(self.machine)
            .chain(beside)
            .flatten()
            .any(|(from, to)| *from == before && to.contains(&after));
        assert!(
            before == after || allowed,
            "{}: {before} → {after} by {command}",
            self.name
        );
    }
}

/// Sends any commands to an aggregate with any past, and checks every step.
fn walk<D>(
    laws: &[Law<D::State>],
    past: &[(&'static str, Vec<u8>)],
    commands: &[Vec<u8>],
    decode: impl Fn(&[u8]) -> Option<D::Command>,
) where
    D: Decider,
    D::Command: CommandPayload,
{
    let mut state = D::State::default();
    for (name, bytes) in past {
        let event = D::Event::decode(name, bytes)
            .expect("a message of the contract")
            .expect("an event of this aggregate");
        D::evolve(&mut state, &event);
    }
    let mut now = context();
    for bytes in commands {
        let command = decode(bytes).unwrap_or_else(|| panic!("{}: not a command", D::AGGREGATE));
        now.now += jiff::SignedDuration::from_hours(36);
        let Ok(events) = D::decide(&state, &command, &now) else {
            continue;
        };
        for event in &events {
            let before: Vec<_> = laws.iter().map(|law| (law.status)(&state)).collect();
            D::evolve(&mut state, event);
            for (law, before) in laws.iter().zip(before) {
                law.holds(command.name(), before, (law.status)(&state));
            }
        }
        let _about = D::about(&state);
    }
}

macro_rules! law {
    ($test:ident, $aggregate:ident, $module:ident, $message:ident, $laws:expr) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

            #[test]
            fn $test(
                past in prop::collection::vec(event::<<$aggregate as Decider>::Event>(), 0..12),
                commands in prop::collection::vec(command::<pb::$module::Command>(stringify!($message)), 1..40),
            ) {
                let decode = |bytes: &[u8]| pb::$message::decode(bytes).ok()?.command;
                // From the beginning, and from wherever any events lead: evolve believes all of them.
                walk::<$aggregate>(&$laws, &[], &commands, decode);
                walk::<$aggregate>(&$laws, &past, &commands, decode);
            }
        }
    };
}

law!(
    an_initiative_keeps_to_its_machine,
    Initiative,
    initiative_command,
    InitiativeCommand,
    [Law {
        name: "Initiative",
        machine: INITIATIVE,
        beside: &[],
        status: |s: &ryggrad_registration::initiative::State| s.status.name().unwrap_or(""),
    }]
);
law!(
    a_founding_keeps_to_its_machine,
    Founding,
    founding_command,
    FoundingCommand,
    [Law {
        name: "Founding",
        machine: FOUNDING,
        beside: &[],
        status: |s: &ryggrad_registration::founding::State| s.status.name().unwrap_or(""),
    }]
);
law!(
    a_registration_case_keeps_to_its_machine,
    RegistrationCase,
    registration_case_command,
    RegistrationCaseCommand,
    [Law {
        name: "RegistrationCase",
        machine: CASE,
        beside: &[],
        status: |s: &ryggrad_registration::registration_case::State| s.status.name().unwrap_or(""),
    }]
);
law!(
    an_organisation_keeps_to_its_three_machines,
    Organisation,
    organisation_command,
    OrganisationCommand,
    [
        Law {
            name: "Organisation",
            machine: ORGANISATION,
            beside: &[
                ("MirrorRegister", ORGANISATION_TOLD),
                ("DeleteOrganisation", ORGANISATION_DELETED),
            ],
            status: |s: &ryggrad_registration::organisation::State| s.status.name(),
        },
        Law {
            name: "VoluntaryRegistration",
            machine: VOLUNTARY,
            beside: &[],
            status: |s: &ryggrad_registration::organisation::State| s.voluntary.name(),
        },
        Law {
            name: "Grasrot",
            machine: GRASROT,
            beside: &[("MirrorRegister", GRASROT_TOLD), ("ApproveGrasrot", GRASROT_APPROVED)],
            status: |s: &ryggrad_registration::organisation::State| s.grasrot.name(),
        },
    ]
);

#[test]
fn every_state_of_the_tables_is_in_its_machine() {
    for (name, machine) in [
        ("Initiative", INITIATIVE),
        ("Founding", FOUNDING),
        ("RegistrationCase", CASE),
        ("Organisation", ORGANISATION),
        ("VoluntaryRegistration", VOLUNTARY),
        ("Grasrot", GRASROT),
    ] {
        let known = statuses::of(name).expect("the table of states has it");
        for state in known {
            assert!(machine.iter().any(|(from, _)| from == state), "{name} has no {state}");
        }
    }
}

/// Any command of an aggregate, in the bytes of its wrapping message.
fn command<C: CommandPayload>(oneof: &'static str) -> impl Strategy<Value = Vec<u8>> {
    (0..C::NAMES.len(), any::<u64>()).prop_map(move |(at, seed)| {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let wrapper = ryggrad_proto::pool()
            .get_message_by_name(&format!("ryggrad.registration.v1.{oneof}"))
            .expect("a message");
        let field = wrapper.fields().nth(at).expect("one field for each command");
        let Kind::Message(inner) = field.kind() else {
            panic!("a command is a message")
        };
        let mut message = DynamicMessage::new(wrapper);
        message.set_field(&field, Value::Message(any_message(&inner, &mut dice, 0)));
        message.encode_to_vec()
    })
}

/// Any event of an aggregate, with its name.
fn event<E: EventPayload>() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    (0..E::NAMES.len(), any::<u64>()).prop_map(|(at, seed)| {
        let name = E::NAMES[at];
        let message = ryggrad_proto::pool()
            .get_message_by_name(&format!("ryggrad.registration.v1.{name}"))
            .expect("a message");
        (
            name,
            any_message(&message, &mut ChaCha8Rng::seed_from_u64(seed), 0).encode_to_vec(),
        )
    })
}

fn any_message(descriptor: &MessageDescriptor, dice: &mut ChaCha8Rng, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields().filter(|field| field.name() != "meta") {
        if dice.random_bool(0.08) || depth > 6 {
            continue;
        }
        let value = if field.is_list() {
            let length = dice.random_range(0..4);
            Value::List((0..length).map(|_| any_value(&field, dice, depth)).collect())
        } else {
            any_value(&field, dice, depth)
        };
        message.set_field(&field, value);
    }
    message
}

fn any_value(field: &FieldDescriptor, dice: &mut ChaCha8Rng, depth: u32) -> Value {
    match field.kind() {
        Kind::Bool => Value::Bool(dice.random_bool(0.7)),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(dice.random()),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            Value::I64(if dice.random_bool(0.8) { 500_000 } else { dice.random() })
        }
        Kind::Uint32 | Kind::Fixed32 => Value::U32(if dice.random_bool(0.9) {
            dice.random_range(0..20)
        } else {
            dice.random()
        }),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(dice.random()),
        Kind::Float => Value::F32(dice.random()),
        Kind::Double => Value::F64(dice.random()),
        Kind::Bytes => Value::Bytes(Vec::new().into()),
        Kind::Enum(choices) if dice.random_bool(0.95) => {
            let numbers: Vec<i32> = choices.values().map(|choice| choice.number()).collect();
            Value::EnumNumber(numbers[dice.random_range(0..numbers.len())])
        }
        Kind::Enum(_) => Value::EnumNumber(dice.random()),
        Kind::String => Value::String(any_text(field.name(), dice)),
        Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
            let mut instant = DynamicMessage::new(message);
            let seconds = if dice.random_bool(0.9) {
                1_772_449_200 + dice.random_range(-10_000_000..40_000_000)
            } else {
                dice.random()
            };
            instant.set_field_by_name("seconds", Value::I64(seconds));
            instant.set_field_by_name(
                "nanos",
                Value::I32(if dice.random_bool(0.95) { 0 } else { dice.random() }),
            );
            Value::Message(instant)
        }
        Kind::Message(message) => Value::Message(any_message(&message, dice, depth + 1)),
    }
}

/// Mostly a text that its field could hold, sometimes one that it cannot.
fn any_text(field: &str, dice: &mut ChaCha8Rng) -> String {
    const PERSONS: &[&str] = &[
        "00000000-0000-4000-8000-0000000000b1",
        "00000000-0000-4000-8000-0000000000b2",
        "00000000-0000-4000-8000-0000000000b3",
    ];
    const NUMBERS: &[&str] = &["245915101", "225522952"];
    const WRONG: &[&str] = &[
        "",
        "\0",
        "0",
        "æøå",
        "2026-02-30",
        "245915102",
        "ENK",
        "99999999999999999999",
        "kari@example.no",
    ];
    let pool: &[&str] = match field {
        _ if dice.random_bool(0.04) => WRONG,
        name if name.ends_with("_id") || name.ends_with("_ids") => &PERSONS[..1],
        "person_ref" | "created_by" | "declared_by" | "signer" | "kontonummer_token" => PERSONS,
        name if name.contains("orgnr") || name == "relasjon_til" => NUMBERS,
        "organisasjonsnummer" => &["", "245915101"],
        "for_orgnr" | "parent_orgnr" => &["", "225522952"],
        name if name.contains("hash") => &["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        name if name.contains("dato")
            || name.contains("date")
            || name.starts_with("period_")
            || name == "from"
            || name == "effective" =>
        {
            &["2026-03-01", "2026-03-20", "2025-01-01", "2026-12-24", ""]
        }
        "kommunenummer" => &["4203", "0301"],
        "postnummer" => &["", "4836"],
        "form" | "proposed_form" => &["FLI", "FLI", "STI", "AS", "SA"],
        "role_code" | "accepted_by_role" => &["LEDE", "MEDL", "KONT", "LEDE", "VARA"],
        "icnpo" | "icnpo_hint" => &["1300", "13100", "1200"],
        "language" | "maalform" => &["nb", "nn"],
        "registers" | "register" => &["ER", "FR", "FOR", "STI", "FOR", "MVA"],
        "leaves_registers" => &["FOR", "STI"],
        "source" => &["brreg", "register-simulator"],
        "eid_level" => &["idporten-loa-high"],
        "fields" => &["name", "purpose", "hjemmeside", "language"],
        "deficiency_code" | "code" => &["KONT", "VEDTEKTER"],
        "landkode" => &["", "NO"],
        "sektorkode" => &["", "7000"],
        "overordnet_enhet" => NUMBERS,
        "infotype" => &["FADR"],
        "hjemmeside" => &["", "www.example.no"],
        "naeringskode" | "naeringskoder" => &["94.992"],
        "avslutningsdato_regnskapsperiode" => &["3112", "3006"],
        _ => &["noe", "noe annet"],
    };
    pool[dice.random_range(0..pool.len())].to_owned()
}
