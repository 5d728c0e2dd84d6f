//! The simulated authority, in sentences.

mod ending;

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use ryggrad_eventlog::deadline::Action;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::organisation_command::Command as ToOrganisation;
use ryggrad_proto::registration::v1::registration_case_command::Command as ToCase;
use uuid::Uuid;

use super::Simulator;
use super::desk::{Case, orgnr, withdrawn};
use crate::command::Command;

fn case(simulator: &Simulator, turn: u8) -> Case<'_> {
    Case {
        simulator,
        dice: ChaCha8Rng::from_seed([turn; 32]),
        from: "2026-03-06T11:00:00Z".parse().expect("an instant"),
        position: u64::from(turn),
        id: Uuid::from_u128(1),
        organisation: Uuid::from_u128(2),
        registers: vec!["ER".into(), "FR".into()],
        kind: pb::CaseKind::New,
        content: pb::RegistrationContent::default(),
        maalform: "nb".into(),
    }
}

#[test]
fn every_position_has_a_number_of_its_own() {
    let positions = (1..5_000).chain(449_000..452_000).chain(4_990_000..5_000_000);
    let many = positions.clone().count();
    let numbers: BTreeSet<_> = positions.map(|position| orgnr(position).expect("a number")).collect();
    assert_eq!(numbers.len(), many);
    assert!(
        numbers
            .iter()
            .all(|number| OrgNumber::parse(number).is_ok_and(OrgNumber::is_synthetic))
    );
}

#[test]
fn nobody_gets_a_number_when_there_are_no_more() {
    assert_eq!(orgnr(5_000_000), None);
    assert_eq!(orgnr(u64::MAX), None);
    let simulator = Simulator::obliging();
    let last = Case {
        position: 5_000_000,
        ..case(&simulator, 1)
    };
    let commands = commands(last.decision());
    let [Command::Case(ToCase::RejectRegistration(reject))] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert_eq!(reject.register, "ER");
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let simulator = Simulator::default();
    assert_eq!(case(&simulator, 7).first_answer(), case(&simulator, 7).first_answer());
}

/// What is sent, in the order in which it is set.
fn commands(actions: Vec<Action>) -> Vec<Command> {
    actions
        .into_iter()
        .map(|action| match action {
            Action::Set(deadline) => {
                Command::decode(deadline.aggregate_type, &deadline.command).expect("a command of ours")
            }
            Action::Cancel(_) | Action::CancelAll(_) => panic!("nothing to cancel"),
        })
        .collect()
}

#[test]
fn grounds_are_in_the_written_standard_of_the_case() {
    let refusing = Simulator {
        rejection_rate: 1.0,
        deficiency_rate: 0.0,
        ..Simulator::default()
    };
    let ground = |maalform: &str, registers: &[&str]| {
        let case = Case {
            maalform: maalform.into(),
            registers: registers.iter().map(|&register| register.into()).collect(),
            ..case(&refusing, 3)
        };
        commands(case.decision())
            .into_iter()
            .find_map(|command| match command {
                Command::Case(ToCase::RejectRegistration(c)) => Some(c.ground),
                Command::Organisation(ToOrganisation::RefuseVoluntaryRegister(c)) => Some(c.ground),
                _ => None,
            })
            .expect("a ground")
    };
    for registers in [&["ER"][..], &["ER", "FR"]] {
        let (nb, nn) = (ground("nb", registers), ground("nn", registers));
        assert!(nb.contains("ikke") && !nb.contains("ikkje"), "{nb}");
        assert!(nn.contains("ikkje"), "{nn}");
    }
}

#[test]
fn a_withdrawn_case_takes_only_its_own_decisions_off_the_desk() {
    let simulator = Simulator::obliging();
    let with_grasrot = |id: u128| {
        let mut case = Case {
            id: Uuid::from_u128(id),
            ..case(&simulator, 1)
        };
        case.content.frivillig_organisasjon = Some(pb::VoluntaryContent {
            grasrotandel: Some(pb::Grasrotandel {
                deltar_i: true,
                ..Default::default()
            }),
            ..Default::default()
        });
        let organisation = case.organisation;
        let of_organisation: BTreeSet<_> = case
            .decision()
            .into_iter()
            .filter_map(|action| match action {
                Action::Set(deadline) if deadline.aggregate_id == organisation => Some(deadline.id),
                Action::Set(_) | Action::Cancel(_) | Action::CancelAll(_) => None,
            })
            .collect();
        (organisation, of_organisation)
    };
    let (organisation, one) = with_grasrot(11);
    let (_, other) = with_grasrot(12);
    assert_eq!((one.len(), other.len()), (3, 3));
    let cancelled: BTreeSet<_> = withdrawn(Uuid::from_u128(11), organisation)
        .into_iter()
        .filter_map(|action| match action {
            Action::Cancel(id) => Some(id),
            Action::CancelAll(aggregate) => {
                assert_eq!(aggregate, Uuid::from_u128(11), "the case, and not the organisation");
                None
            }
            Action::Set(_) => panic!("nothing is set"),
        })
        .collect();
    assert!(cancelled.is_superset(&one) && cancelled.is_disjoint(&other));
}

#[test]
fn a_change_is_applied_and_not_only_confirmed() {
    let simulator = Simulator::obliging();
    let change = Case {
        kind: pb::CaseKind::Change,
        content: pb::RegistrationContent {
            name: "Tromøya sjakklubb".into(),
            ..Default::default()
        },
        ..case(&simulator, 1)
    };
    let commands = commands(change.decision());
    let applied = commands.iter().find_map(|command| match command {
        Command::Organisation(ToOrganisation::ChangeRegistration(c)) => Some(c),
        _ => None,
    });
    assert_eq!(applied.expect("it is applied").fields, ["name"]);
    assert_eq!(commands.len(), 3, "both registers confirm it too");
}

#[test]
fn a_deletion_is_of_the_registers_that_it_names() {
    let simulator = Simulator::obliging();
    let deleted = |registers: &[&str]| {
        let case = Case {
            kind: pb::CaseKind::Deletion,
            registers: registers.iter().map(|&register| register.into()).collect(),
            ..case(&simulator, 1)
        };
        commands(case.decision()).iter().map(told).collect::<Vec<_>>()
    };
    for registers in [&["ER"][..], &["ER", "FOR"]] {
        assert_eq!(deleted(registers), ["confirm ER", "delete"]);
    }
    assert_eq!(deleted(&["ER", "FR"]), ["confirm ER", "confirm FR", "delete"]);
    assert_eq!(deleted(&["FR"]), ["confirm FR", "leave"]);
    for register in ["FOR", "MVA", "STI"] {
        assert_eq!(
            deleted(&[register]),
            ["confirm ER".to_owned(), format!("out of {register}")]
        );
    }
    assert_eq!(
        deleted(&["FR", "FOR", "MVA"]),
        ["confirm ER", "confirm FR", "leave", "out of FOR MVA"]
    );
}

/// A decision on a deletion, in short.
#[track_caller]
fn told(command: &Command) -> String {
    match command {
        Command::Case(ToCase::ConfirmRegistration(c)) => format!("confirm {}", c.register),
        Command::Organisation(ToOrganisation::DeleteOrganisation(_)) => "delete".to_owned(),
        Command::Organisation(ToOrganisation::LeaveVoluntaryRegister(_)) => "leave".to_owned(),
        Command::Organisation(ToOrganisation::ChangeRegistration(c)) => {
            assert!(c.fields.is_empty(), "nothing else changes");
            format!("out of {}", c.leaves_registers.join(" "))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_change_for_two_registers_is_confirmed_by_whoever_answers_for_each() {
    let simulator = Simulator::obliging();
    let change = Case {
        kind: pb::CaseKind::Change,
        registers: vec!["FR".into(), "MVA".into()],
        ..case(&simulator, 1)
    };
    let confirmed = commands(change.decision())
        .into_iter()
        .filter_map(|command| match command {
            Command::Case(ToCase::ConfirmRegistration(c)) => Some(c.register),
            _ => None,
        });
    assert_eq!(confirmed.collect::<Vec<_>>(), ["ER", "FR"]);
}

#[test]
fn the_choice_to_register_bylaws_is_part_of_a_change() {
    let simulator = Simulator::obliging();
    let chosen = |vedtekter: Option<bool>| {
        let mut case = Case {
            kind: pb::CaseKind::Change,
            registers: vec!["FR".into()],
            ..case(&simulator, 1)
        };
        case.content.frivillig_organisasjon = Some(pb::VoluntaryContent {
            vedtekter: vedtekter.map(|registered| pb::VedtekterValg {
                frivillig_registrerte_vedtekter: registered,
                ..Default::default()
            }),
            ..Default::default()
        });
        let commands = commands(case.decision());
        let change = commands.into_iter().find_map(|command| match command {
            Command::Organisation(ToOrganisation::ChangeRegistration(c)) => Some(c),
            _ => None,
        });
        change.expect("a change").vedtekter_registrert
    };
    for choice in [None, Some(true), Some(false)] {
        assert_eq!(chosen(choice), choice);
    }
}

#[test]
fn working_days_leave_out_the_weekend() {
    let simulator = Simulator::default();
    let friday: Timestamp = "2026-03-06T11:00:00Z".parse().expect("an instant");
    assert_eq!(
        case(&simulator, 1).working_days(friday, 1.0).to_string(),
        "2026-03-09T11:00:00Z"
    );
    assert_eq!(
        case(&simulator, 1).working_days(friday, 5.0).to_string(),
        "2026-03-13T11:00:00Z"
    );
}

#[test]
fn half_of_the_answers_come_within_the_median() {
    let simulator = Simulator::default();
    let median = case(&simulator, 0).working_days(case(&simulator, 0).from, 5.0);
    let early = (0..=255)
        .filter(|turn| case(&simulator, *turn).answer_at() <= median)
        .count();
    assert!((96..=160).contains(&early), "{early} of 256");
}

#[test]
fn an_obliging_authority_answers_in_order() {
    let simulator = Simulator::obliging();
    let due: Vec<_> = case(&simulator, 1)
        .decision()
        .into_iter()
        .map(|action| match action {
            Action::Set(deadline) => deadline.due_at,
            Action::Cancel(_) | Action::CancelAll(_) => panic!("nothing to cancel"),
        })
        .collect();
    assert_eq!(due.len(), 2);
    assert!(due[0] < due[1], "the number comes before the entry");
}
