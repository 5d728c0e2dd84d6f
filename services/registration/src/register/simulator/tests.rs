//! The simulated authority, in sentences.

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use ryggrad_eventlog::deadline::Action;
use ryggrad_norway::OrgNumber;
use ryggrad_proto::registration::v1 as pb;
use uuid::Uuid;

use super::Simulator;
use super::desk::{Case, orgnr};

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
    }
}

#[test]
fn every_position_has_a_number_of_its_own() {
    let numbers: BTreeSet<_> = (1..5_000).map(orgnr).collect();
    assert_eq!(numbers.len(), 4_999);
    assert!(
        numbers
            .iter()
            .all(|number| OrgNumber::parse(number).is_ok_and(OrgNumber::is_synthetic))
    );
}

#[test]
fn the_same_seed_gives_the_same_answers() {
    let simulator = Simulator::default();
    assert_eq!(
        case(&simulator, 7).first_answer("nb"),
        case(&simulator, 7).first_answer("nb")
    );
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
