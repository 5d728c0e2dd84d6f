//! The life of an idea, in sentences.

mod pause;

use jiff::{Timestamp, ToSpan as _};
use ryggrad_decider::scenario::{Given, context, given};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;

use super::Event;
use super::{Initiative, Stage, Status};

const PERSON: &str = "00000000-0000-4000-8000-0000000000b1";
const HOST: &str = "245915101";

fn sketched() -> Event {
    pb::InitiativeSketched {
        title: "Sjakk på Tromøy".into(),
        kommunenummer: "4203".into(),
        icnpo_hint: Some("1300".into()),
        ..Default::default()
    }
    .into()
}

fn opened() -> Event {
    pb::InitiativeOpened {
        wanted_people: 5,
        ..Default::default()
    }
    .into()
}

fn reviewed() -> Event {
    pb::ExistingOfferingsReviewed {
        outcome: pb::ReviewOutcome::None.into(),
        reason: Some("ingen sjakk".into()),
        ..Default::default()
    }
    .into()
}

fn joined() -> Event {
    pb::SupporterJoined {
        person_ref: PERSON.into(),
        ..Default::default()
    }
    .into()
}

fn trialling() -> Event {
    pb::TrialStarted::default().into()
}

fn paused() -> Event {
    pb::InitiativePaused::default().into()
}

fn idea(events: impl IntoIterator<Item = Event>) -> Given<Initiative> {
    given::<Initiative>([sketched()].into_iter().chain(events))
}

fn sketch() -> pb::SketchInitiative {
    pb::SketchInitiative {
        title: "Sjakk på Tromøy".into(),
        purpose_text: "Vi vil spille sjakk hver torsdag.".into(),
        kommunenummer: "4203".into(),
        icnpo_hint: Some("1300".into()),
        language: "nb".into(),
        created_by: Some(PERSON.into()),
        ..Default::default()
    }
}

#[test]
fn an_idea_needs_no_organisation_number() {
    let (state, _) = given::<Initiative>([])
        .when(sketch())
        .then_names(&["InitiativeSketched"]);
    assert_eq!(state.status, Status::Active(Stage::Sketched));
}

#[test]
fn an_idea_is_sketched_once() {
    idea([]).when(sketch()).then_refused("R-0.99", "WrongState");
}

#[test]
fn refuses_a_municipality_that_has_merged() {
    let refusal = given::<Initiative>([])
        .when(pb::SketchInitiative {
            kommunenummer: "0906".into(),
            ..sketch()
        })
        .then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("kommunenummer"));
}

#[test]
fn refuses_a_group_of_icnpo_as_hint() {
    given::<Initiative>([])
        .when(pb::SketchInitiative {
            icnpo_hint: Some("1".into()),
            ..sketch()
        })
        .then_refused("R-2.16", "InvalidField");
}

/// A synthetic identity number (month + 80) of the test vectors.
const NOBODY: &str = "21909945469";

#[test]
fn refuses_a_title_with_personal_data_in_it() {
    for title in [
        format!("ring {NOBODY}"),
        format!("ring {}-{}", &NOBODY[..6], &NOBODY[6..]),
        "ring 22 86 20 00".to_owned(),
        "skriv til leder@lag.example.no".to_owned(),
    ] {
        let sketch = pb::SketchInitiative { title, ..sketch() };
        let refusal = given::<Initiative>([])
            .when(sketch)
            .then_refused("R-0.05", "PersonalData");
        assert_eq!(refusal.field.as_deref(), Some("title"));
    }
}

#[test]
fn refuses_english_as_written_standard() {
    given::<Initiative>([])
        .when(pb::SketchInitiative {
            language: "en".into(),
            ..sketch()
        })
        .then_refused("R-0.07", "InvalidField");
}

/// Handbook 3, first acceptance example: the event stores only ids, not copies.
#[test]
fn a_review_stores_only_ids() {
    let search = pb::SearchExisting {
        matched_orgnr: vec![HOST.into()],
        matched_activity_ids: vec![PERSON.into()],
        outcome: pb::ReviewOutcome::Join.into(),
        ..Default::default()
    };
    let (state, events) = idea([opened()]).when(search).then_names(&["ExistingOfferingsReviewed"]);
    assert!(state.reviewed);
    let Event::ExistingOfferingsReviewed(event) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(
        (event.matched_orgnr.as_slice(), event.matched_activity_ids.as_slice()),
        ([HOST.to_owned()].as_slice(), [PERSON.to_owned()].as_slice())
    );
}

#[test]
fn a_wish_for_something_new_needs_a_reason() {
    for outcome in [pb::ReviewOutcome::None, pb::ReviewOutcome::Complement] {
        let search = pb::SearchExisting {
            outcome: outcome.into(),
            ..Default::default()
        };
        idea([]).when(search).then_refused("R-1.02", "ReasonMissing");
    }
}

#[test]
fn founding_needs_a_look_at_what_exists() {
    let proceed = pb::ProceedToFounding {
        proposed_form: "FLI".into(),
        ..Default::default()
    };
    idea([opened()])
        .when(proceed.clone())
        .then_refused("R-1.02", "ExistingOfferingsNotReviewed");
    let (state, _) = idea([opened(), reviewed()])
        .when(proceed)
        .then_names(&["FoundingDecided"]);
    assert_eq!(
        state.status,
        Status::Proceeding {
            founding_id: context().new_id.to_string()
        }
    );
}

#[test]
fn founding_needs_no_trial_but_a_trial_that_goes_on_is_evaluated_first() {
    let proceed = pb::ProceedToFounding {
        proposed_form: "SA".into(),
        ..Default::default()
    };
    idea([reviewed()])
        .when(proceed.clone())
        .then_names(&["FoundingDecided"]);
    idea([reviewed(), opened(), trialling()])
        .when(proceed.clone())
        .then_refused("R-0.99", "WrongState");
    let evaluated = pb::TrialEvaluated {
        result: pb::TrialResult::Stop.into(),
        ..Default::default()
    }
    .into();
    idea([reviewed(), opened(), trialling(), evaluated])
        .when(proceed)
        .then_names(&["FoundingDecided"]);
}

#[test]
fn a_group_is_not_founded() {
    let proceed = pb::ProceedToFounding {
        proposed_form: "AAFY".into(),
        ..Default::default()
    };
    idea([reviewed()])
        .when(proceed)
        .then_refused("R-1.01", "FormNotFounded");
}

#[test]
fn a_trial_starts_from_an_open_idea_only() {
    let start = pb::StartTrial {
        period_from: "2026-03-10".into(),
        period_to: "2026-05-10".into(),
        ..Default::default()
    };
    idea([]).when(start.clone()).then_refused("R-0.99", "WrongState");
    let (state, _) = idea([opened()]).when(start).then_names(&["TrialStarted"]);
    assert_eq!(state.status, Status::Active(Stage::Trialling));
}

#[test]
fn a_trial_does_not_end_before_it_begins() {
    let start = pb::StartTrial {
        period_from: "2026-03-10".into(),
        period_to: "2026-03-09".into(),
        ..Default::default()
    };
    let refusal = idea([opened()]).when(start).then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("period_to"));
}

#[test]
fn an_activity_is_recorded_when_it_has_been_held() {
    let record = |date: &str| pb::RecordTrialActivity {
        date: date.into(),
        participants_count: 12,
        volunteers_count: 2,
        hours: 4,
        ..Default::default()
    };
    idea([opened(), trialling()])
        .when(record("2026-03-02"))
        .then_names(&["TrialActivityHeld"]);
    idea([opened(), trialling()])
        .when(record("2026-03-03"))
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn age_bands_hold_no_more_than_took_part() {
    let bands = vec![
        pb::AgeBandCount {
            band: "6-12".into(),
            count: 8,
        },
        pb::AgeBandCount {
            band: "13-19".into(),
            count: 5,
        },
    ];
    let record = pb::RecordTrialActivity {
        date: "2026-03-02".into(),
        participants_count: 12,
        age_band_counts: bands,
        ..Default::default()
    };
    idea([opened(), trialling()])
        .when(record)
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn going_into_an_organisation_takes_its_boards_word() {
    let join = pb::JoinExistingOrganisation {
        host_orgnr: HOST.into(),
        r#as: pb::AbsorbedAs::Group.into(),
        accepted_by_role: "LEDE".into(),
        ..Default::default()
    };
    idea([]).when(join.clone()).then_refused("R-0.99", "HostHasNotAccepted");
    let host = Actor {
        kind: "person".into(),
        acting_for: HOST.into(),
        ..Actor::default()
    };
    let coach = pb::JoinExistingOrganisation {
        accepted_by_role: "KONT".into(),
        ..join.clone()
    };
    idea([])
        .by(host.clone())
        .when(coach)
        .then_refused("R-0.99", "HostHasNotAccepted");
    let itself = |authenticated| Actor {
        kind: "organisation".into(),
        r#ref: HOST.into(),
        authenticated,
        ..Actor::default()
    };
    idea([])
        .by(itself(false))
        .when(join.clone())
        .then_refused("R-0.99", "HostHasNotAccepted");
    idea([])
        .by(itself(true))
        .when(join.clone())
        .then_names(&["InitiativeAbsorbed"]);
    let (state, _) = idea([]).by(host).when(join).then_names(&["InitiativeAbsorbed"]);
    assert_eq!(
        state.status,
        Status::Absorbed {
            host_orgnr: HOST.into()
        }
    );
}

#[test]
fn any_command_brings_a_paused_idea_back_to_where_it_was() {
    let start = [opened(), trialling(), paused()];
    let record = pb::RecordTrialActivity {
        date: "2026-03-01".into(),
        ..Default::default()
    };
    let (state, _) = idea(start).when(record).then_names(&["TrialActivityHeld"]);
    assert_eq!(state.status, Status::Active(Stage::Trialling));
}

#[test]
fn nobody_joins_twice() {
    let join = pb::RegisterSupporter {
        person_ref: PERSON.into(),
        wants: pb::SupporterWish::Member.into(),
        consent_id: "00000000-0000-4000-8000-0000000000c0".into(),
        ..Default::default()
    };
    idea([joined()]).when(join).then(&[]);
}

/// Handbook 3, second acceptance example.
#[test]
fn a_year_without_an_event_expires_the_idea_and_a_year_later_the_supporters_are_purged() {
    let (state, events) = idea([joined(), paused()])
        .when(pb::ExpireInitiative::default())
        .then_names(&["InitiativeExpired"]);
    assert_eq!(state.status, Status::Expired);
    let Event::InitiativeExpired(expired) = &events[0] else {
        panic!("another event")
    };
    let purge: Timestamp = expired
        .purge_personal_data_at
        .expect("a day")
        .try_into()
        .expect("an instant");
    let zone = jiff::tz::TimeZone::get("Europe/Oslo").expect("the bundled zone");
    let year_later = context()
        .now
        .to_zoned(zone)
        .checked_add(12.months())
        .expect("the calendar goes on")
        .timestamp();
    assert_eq!(purge, year_later);
    let expired = [joined(), paused(), events[0].clone()];
    let (_, events) = idea(expired)
        .when(pb::PurgeSupporters::default())
        .then_names(&["SupportersPurged"]);
    let Event::SupportersPurged(purged) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(purged.person_refs, [PERSON]);
}

/// An idea that was sketched, and joined since: its last activity is its second event.
#[test]
fn a_timer_counted_from_an_earlier_activity_ends_nothing() {
    let pause = |activity| pb::PauseInactiveInitiative {
        activity,
        ..Default::default()
    };
    let expire = |activity| pb::ExpireInitiative {
        activity,
        ..Default::default()
    };
    // Whoever sets the timers has not seen that somebody joined.
    idea([joined()]).when(pause(1)).then(&[]);
    idea([joined()]).when(expire(1)).then(&[]);
    idea([joined()]).when(pause(2)).then_names(&["InitiativePaused"]);
    idea([joined()])
        .when(expire(2))
        .then_names(&["InitiativePaused", "InitiativeExpired"]);
}

#[test]
fn being_paused_by_a_timer_is_no_activity() {
    let paused = pb::InitiativePaused {
        reason: pb::PauseReason::Inactivity.into(),
        ..Default::default()
    };
    let expire = pb::ExpireInitiative {
        activity: 2,
        ..Default::default()
    };
    idea([joined(), paused.into()])
        .when(expire)
        .then_names(&["InitiativeExpired"]);
}

#[test]
fn nobody_chooses_the_id_of_the_founding_that_follows() {
    let proceed = pb::ProceedToFounding {
        founding_id: PERSON.into(),
        proposed_form: "FLI".into(),
        ..Default::default()
    };
    let reviewed = pb::ExistingOfferingsReviewed::default();
    let refusal = idea([reviewed.into()])
        .when(proceed)
        .then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("founding_id"));
}

#[test]
fn an_idea_that_nobody_paused_is_paused_before_it_expires() {
    idea([])
        .when(pb::ExpireInitiative::default())
        .then_names(&["InitiativePaused", "InitiativeExpired"]);
}

#[test]
fn supporters_of_an_idea_that_is_being_founded_are_kept() {
    let decided = pb::FoundingDecided {
        founding_id: PERSON.into(),
        ..Default::default()
    }
    .into();
    idea([joined(), decided]).when(pb::PurgeSupporters::default()).then(&[]);
}

#[test]
fn nothing_happens_to_an_idea_that_has_ended() {
    let abandoned = || pb::InitiativeAbandoned::default().into();
    idea([abandoned()])
        .when(pb::PauseInitiative::default())
        .then_refused("R-0.99", "WrongState");
    idea([abandoned()])
        .when(pb::PauseInactiveInitiative::default())
        .then(&[]);
    idea([abandoned()]).when(pb::ExpireInitiative::default()).then(&[]);
}

#[test]
fn an_invitation_ends_in_the_future() {
    let open = |expires_at: Timestamp| pb::OpenForCofounders {
        wanted_people: 3,
        expires_at: Some(expires_at.into()),
        ..Default::default()
    };
    idea([])
        .when(open(context().now))
        .then_refused("R-0.00", "InvalidField");
    idea([])
        .when(open(context().now + 24.hours()))
        .then_names(&["InitiativeOpened"]);
}
