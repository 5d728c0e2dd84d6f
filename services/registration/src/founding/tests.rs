//! A founding, in sentences.

mod afterwards;
mod board_size;

use ryggrad_decider::Nature;
use ryggrad_decider::scenario::{Given, given};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::founder::Founder as Who;
use ryggrad_proto::registration::v1::role_holder::Holder;

use super::Event;
use super::{Founding, Status};

const KARI: &str = "00000000-0000-4000-8000-0000000000b1";
const OLA: &str = "00000000-0000-4000-8000-0000000000b2";
const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHER_HASH: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn planned(form: &str) -> Event {
    pb::FoundingPlanned {
        form: form.into(),
        ..Default::default()
    }
    .into()
}

fn convened() -> Event {
    pb::FoundingMeetingConvened {
        date: "2026-03-01".into(),
        ..Default::default()
    }
    .into()
}

fn person(who: &str) -> pb::Founder {
    pb::Founder {
        founder: Some(Who::PersonRef(who.into())),
    }
}

fn held() -> Event {
    pb::FoundingMeetingHeld {
        date: "2026-03-01".into(),
        purpose: "sjakk".into(),
        founders: vec![person(KARI), person(OLA)],
        ..Default::default()
    }
    .into()
}

fn bylaws() -> Event {
    pb::BylawsAdopted {
        version: 1,
        ..Default::default()
    }
    .into()
}

fn board() -> Event {
    pb::BoardElected::default().into()
}

fn signed(signer: &str) -> Event {
    pb::FoundingDocumentSigned {
        signer: signer.into(),
        document_hash: HASH.into(),
        ..Default::default()
    }
    .into()
}

fn founding(form: &str, events: impl IntoIterator<Item = Event>) -> Given<Founding> {
    given::<Founding>([planned(form)].into_iter().chain(events))
}

fn role(code: &str, who: &str) -> pb::RoleHolder {
    pb::RoleHolder {
        role_code: code.into(),
        holder: Some(Holder::PersonRef(who.into())),
        ..Default::default()
    }
}

fn meeting(founders: Vec<pb::Founder>) -> pb::RecordFoundingMeeting {
    pb::RecordFoundingMeeting {
        date: "2026-03-01".into(),
        place: "Tromøy bibliotek".into(),
        founders,
        votes_for: 2,
        votes_cast: 2,
        purpose: "Fremme sjakk på Tromøy.".into(),
        ..Default::default()
    }
}

fn checklist() -> pb::BylawsChecklist {
    pb::BylawsChecklist {
        name: true,
        purpose: true,
        annual_meeting: true,
        board_and_election: true,
        amendment: true,
        termination: true,
        surplus_to_purpose: true,
        no_owners: true,
    }
}

fn adopt(checklist: pb::BylawsChecklist) -> pb::AdoptBylaws {
    pb::AdoptBylaws {
        vedtektsdato: "2026-03-01".into(),
        content_checklist: Some(checklist),
        document_hash: HASH.into(),
        purpose: "Fremme sjakk.".into(),
        ..Default::default()
    }
}

fn sign(signer: &str, document_hash: &str) -> pb::SignFoundingDocument {
    pb::SignFoundingDocument {
        signer: signer.into(),
        method: pb::SigningMethod::Electronic.into(),
        document_hash: document_hash.into(),
        ..Default::default()
    }
}

fn complete() -> pb::CompleteFounding {
    pb::CompleteFounding {
        name: "Tromøy sjakklubb".into(),
        kommunenummer: "4203".into(),
        ..Default::default()
    }
}

#[test]
fn four_forms_are_founded_here() {
    for form in ["FLI", "STI", "SA", "AS"] {
        given::<Founding>([])
            .when(pb::PlanFounding {
                form: form.into(),
                ..Default::default()
            })
            .then_names(&["FoundingPlanned"]);
    }
    given::<Founding>([])
        .when(pb::PlanFounding {
            form: "ENK".into(),
            ..Default::default()
        })
        .then_refused("R-2.99", "FormNotFounded");
}

#[test]
fn a_group_inside_an_association_is_not_founded() {
    given::<Founding>([])
        .when(pb::PlanFounding {
            form: "AAFY".into(),
            ..Default::default()
        })
        .then_refused("R-2.99", "SubUnitNotFounded");
}

fn convene(date: &str) -> pb::ConveneFoundingMeeting {
    pb::ConveneFoundingMeeting {
        date: date.into(),
        place: "Biblioteket".into(),
        agenda: vec!["Stiftelse".into()],
        ..Default::default()
    }
}

#[test]
fn short_notice_is_noted_and_never_refused() {
    for (date, as_advised) in [
        ("2026-03-03", false),
        ("2026-03-16", true),
        ("2026-03-23", true),
        ("2026-03-24", false),
    ] {
        let (_, events) = founding("FLI", [])
            .when(convene(date))
            .then_names(&["FoundingMeetingConvened"]);
        let Event::FoundingMeetingConvened(event) = &events[0] else {
            panic!("another event")
        };
        assert_eq!(
            event.notice_as_advised, as_advised,
            "{date}: {} days",
            event.notice_days
        );
    }
}

#[test]
fn a_meeting_has_a_place_or_is_digital() {
    let nowhere = pb::ConveneFoundingMeeting {
        place: String::new(),
        ..convene("2026-03-20")
    };
    founding("FLI", [])
        .when(nowhere.clone())
        .then_refused("R-2.03", "PlaceMissing");
    founding("FLI", [])
        .when(pb::ConveneFoundingMeeting {
            digital: true,
            ..nowhere
        })
        .then_names(&["FoundingMeetingConvened"]);
}

#[test]
fn an_association_has_two_founders() {
    let refusal = founding("FLI", [convened()])
        .when(meeting(vec![person(KARI)]))
        .then_refused("R-2.01", "TooFewFounders");
    assert!(refusal.params.contains(&("n", "1".into())));
    founding("FLI", [convened()])
        .when(meeting(vec![person(KARI), person(KARI)]))
        .then_refused("R-2.01", "TooFewFounders");
    let club = pb::Founder {
        founder: Some(Who::Orgnr("245915101".into())),
    };
    founding("FLI", [convened()])
        .when(meeting(vec![person(KARI), club]))
        .then_names(&["FoundingMeetingHeld"]);
}

#[test]
fn a_founder_in_two_spellings_is_one_founder() {
    let again = KARI.to_uppercase();
    founding("FLI", [convened()])
        .when(meeting(vec![person(KARI), person(&again)]))
        .then_refused("R-2.01", "TooFewFounders");
}

#[test]
fn a_foundation_has_one_founder_and_a_cooperative_two() {
    founding("STI", [convened()])
        .when(meeting(vec![person(KARI)]))
        .then_names(&["FoundingMeetingHeld"]);
    founding("SA", [convened()])
        .when(meeting(vec![person(KARI)]))
        .then_refused("R-2.99", "TooFewFounders");
}

#[test]
fn half_of_the_votes_is_not_enough() {
    let tie = pb::RecordFoundingMeeting {
        votes_for: 3,
        votes_cast: 6,
        ..meeting(vec![person(KARI), person(OLA)])
    };
    founding("FLI", [convened()])
        .when(tie)
        .then_refused("R-2.03", "FoundingNotDecided");
}

#[test]
fn bylaws_of_an_association_cover_everything() {
    let start = || founding("FLI", [convened(), held()]);
    let missing = pb::BylawsChecklist {
        termination: false,
        annual_meeting: false,
        ..checklist()
    };
    let refusal = start().when(adopt(missing)).then_refused("R-2.05", "BylawsIncomplete");
    assert_eq!(
        refusal.rule.nature,
        Nature::Practice,
        "law for Frivillighetsregisteret only"
    );
    assert!(
        refusal
            .params
            .contains(&("missing", "termination, annual_meeting".into())),
        "{:?}",
        refusal.params
    );
    let refusal = start()
        .when(adopt(pb::BylawsChecklist {
            surplus_to_purpose: false,
            ..checklist()
        }))
        .then_refused("R-2.06", "SurplusNotToPurpose");
    assert_eq!(refusal.rule.nature, Nature::Practice);
    start()
        .when(adopt(pb::BylawsChecklist {
            no_owners: false,
            ..checklist()
        }))
        .then_refused("R-2.02", "HasOwners");
    start().when(adopt(checklist())).then_names(&["BylawsAdopted"]);
}

#[test]
fn a_foundation_needs_no_annual_meeting_and_a_company_may_have_owners() {
    let foundation = pb::BylawsChecklist {
        annual_meeting: false,
        ..checklist()
    };
    founding("STI", [convened(), held()])
        .when(adopt(foundation))
        .then_names(&["BylawsAdopted"]);
    let company = pb::BylawsChecklist {
        name: true,
        purpose: true,
        board_and_election: true,
        ..Default::default()
    };
    founding("AS", [convened(), held()])
        .when(adopt(company))
        .then_names(&["BylawsAdopted"]);
    // A cooperative is never in Frivillighetsregisteret, whose rule is.
    founding("SA", [convened(), held()])
        .when(adopt(pb::BylawsChecklist {
            board_and_election: false,
            ..company
        }))
        .then_refused("R-2.99", "BylawsIncomplete");
}

fn elect(roles: Vec<pb::RoleHolder>) -> pb::ElectInterimBoard {
    pb::ElectInterimBoard {
        roles,
        body: "stiftelsesmøte".into(),
        minutes_hash: HASH.into(),
        interim: true,
        ..Default::default()
    }
}

#[test]
fn a_board_has_a_chair_and_a_member() {
    let start = || founding("FLI", [convened(), held()]);
    start()
        .when(elect(vec![role("MEDL", OLA)]))
        .then_refused("R-2.08", "ChairMissing");
    start()
        .when(elect(vec![role("LEDE", KARI)]))
        .then_refused("R-2.08", "BoardMemberMissing");
    start()
        .when(elect(vec![role("LEDE", KARI), role("MEDL", KARI)]))
        .then_refused("R-2.08", "TwiceOnTheBoard");
    start()
        .when(elect(vec![role("LEDE", KARI), role("MEDL", OLA)]))
        .then_names(&["BoardElected"]);
}

#[test]
fn a_deputy_chair_of_an_association_is_reported_as_member() {
    let roles = vec![role("LEDE", KARI), role("NEST", OLA)];
    founding("FLI", [convened(), held()])
        .when(elect(roles.clone()))
        .then_refused("R-2.08", "RoleNotRegistered");
    founding("AS", [convened(), held()])
        .when(elect(roles))
        .then_names(&["BoardElected"]);
}

#[test]
fn the_founding_document_shows_bylaws_and_board() {
    founding("FLI", [convened(), held(), bylaws()])
        .when(sign(KARI, HASH))
        .then_refused("R-2.03", "FoundingDocumentIncomplete");
}

#[test]
fn only_founders_sign_and_all_the_same_document() {
    let start = |more: Vec<Event>| founding("FLI", [convened(), held(), bylaws(), board()].into_iter().chain(more));
    start(vec![])
        .when(sign("00000000-0000-4000-8000-0000000000b9", HASH))
        .then_refused("R-2.03", "NotAFounder");
    start(vec![signed(KARI)])
        .when(sign(OLA, OTHER_HASH))
        .then_refused("R-2.03", "DocumentDiffers");
    start(vec![signed(KARI)]).when(sign(KARI, HASH)).then(&[]);
    let (state, _) = start(vec![signed(KARI)])
        .when(sign(OLA, HASH))
        .then_names(&["FoundingDocumentSigned"]);
    assert_eq!(state.status, Status::Documented);
}

#[test]
fn what_is_signed_does_not_change() {
    founding("FLI", [convened(), held(), bylaws(), board(), signed(KARI)])
        .when(adopt(checklist()))
        .then_refused("R-2.03", "FoundingDocumentSigned");
}

#[test]
fn a_documented_founding_becomes_an_organisation() {
    let documented = [convened(), held(), bylaws(), board(), signed(KARI), signed(OLA)];
    let (state, events) = founding("FLI", documented)
        .when(complete())
        .then_names(&["OrganisationFounded"]);
    assert!(matches!(state.status, Status::Completed { .. }));
    let Event::OrganisationFounded(event) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(
        (
            event.stiftelsesdato.as_str(),
            event.purpose.as_str(),
            event.form.as_str()
        ),
        ("2026-03-01", "sjakk", "FLI")
    );
}

#[test]
fn nobody_chooses_the_id_of_the_organisation() {
    let refusal = founding(
        "FLI",
        [convened(), held(), bylaws(), board(), signed(KARI), signed(OLA)],
    )
    .when(pb::CompleteFounding {
        organisation_id: KARI.into(),
        ..complete()
    })
    .then_refused("R-0.00", "InvalidField");
    assert_eq!(refusal.field.as_deref(), Some("organisation_id"));
}

#[test]
fn an_undocumented_founding_is_not_completed() {
    founding("FLI", [convened(), held(), bylaws(), board(), signed(KARI)])
        .when(complete())
        .then_refused("R-0.99", "WrongState");
}

#[test]
fn a_foundation_sets_a_capital_aside() {
    let documented = || {
        founding(
            "STI",
            [convened(), held(), bylaws(), board(), signed(KARI), signed(OLA)],
        )
    };
    documented().when(complete()).then_refused("R-2.99", "CapitalTooSmall");
    documented()
        .when(pb::CompleteFounding {
            kapital: Some(100_000),
            ..complete()
        })
        .then_names(&["OrganisationFounded"]);
    let business = pb::CompleteFounding {
        kapital: Some(100_000),
        driver_naeringsvirksomhet: true,
        ..complete()
    };
    documented().when(business).then_refused("R-2.99", "CapitalTooSmall");
    let owing = pb::CompleteFounding {
        kapital: Some(-1),
        ..complete()
    };
    for form in ["FLI", "STI"] {
        let refusal = founding(form, [convened(), held(), bylaws(), board(), signed(KARI), signed(OLA)])
            .when(owing.clone())
            .then_refused("R-0.00", "InvalidField");
        assert_eq!(refusal.field.as_deref(), Some("kapital"));
    }
}

#[test]
fn a_completed_founding_is_not_called_off() {
    let founded = pb::OrganisationFounded {
        organisation_id: KARI.into(),
        ..Default::default()
    }
    .into();
    let cancel = pb::CancelFounding {
        reason_code: pb::CancelReason::Other.into(),
        ..Default::default()
    };
    founding("FLI", [founded])
        .when(cancel.clone())
        .then_refused("R-0.99", "WrongState");
    let (state, _) = founding("FLI", [convened()])
        .when(cancel)
        .then_names(&["FoundingCancelled"]);
    assert_eq!(state.status, Status::Cancelled);
}
