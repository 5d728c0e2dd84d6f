//! An organisation and its registers, in sentences.

mod authority;
mod mirror;
mod register_change;

use ryggrad_decider::scenario::{Given, given};
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::role_holder::Holder;

use super::Event;
use super::{Grasrot, Organisation, Status, Voluntary};

const ORGNR: &str = "245915101";
const OTHER: &str = "225522952";
const CASE: &str = "00000000-0000-7000-8000-0000000000c5";
const KARI: &str = "00000000-0000-4000-8000-0000000000b1";
const OLA: &str = "00000000-0000-4000-8000-0000000000b2";

fn origin() -> pb::FactOrigin {
    pb::FactOrigin {
        source: "register-simulator".into(),
        ..Default::default()
    }
}

fn opened() -> Event {
    pb::OrganisationOpened {
        name: "Tromøy sjakklubb".into(),
        form: "FLI".into(),
        kommunenummer: "4203".into(),
        ..Default::default()
    }
    .into()
}

fn registered() -> Event {
    let details = pb::OrganisationDetails {
        name: "Tromøy sjakklubb".into(),
        form: "FLI".into(),
        ..Default::default()
    };
    pb::OrganisationRegistered {
        orgnr: ORGNR.into(),
        details: Some(details),
        origin: Some(origin()),
        ..Default::default()
    }
    .into()
}

fn entered() -> Event {
    pb::VoluntaryRegistrationEntered {
        orgnr: ORGNR.into(),
        innfoert_dato: "2026-03-01".into(),
        icnpo: vec!["1300".into()],
        ..Default::default()
    }
    .into()
}

fn organisation(events: Vec<Event>) -> Given<Organisation> {
    given::<Organisation>(events)
}

fn assign() -> pb::AssignOrgnr {
    pb::AssignOrgnr {
        orgnr: ORGNR.into(),
        registreringsdato: "2026-03-02".into(),
        case_id: CASE.into(),
        origin: Some(origin()),
        ..Default::default()
    }
}

fn enter() -> pb::EnterVoluntaryRegister {
    pb::EnterVoluntaryRegister {
        innfoert_dato: "2026-03-02".into(),
        icnpo: vec!["1300".into()],
        grasrot_deltar_i: true,
        origin: Some(origin()),
        ..Default::default()
    }
}

#[test]
fn a_founded_organisation_gets_its_number_once() {
    let (state, events) = organisation(vec![opened()])
        .when(assign())
        .then_names(&["OrganisationRegistered"]);
    assert_eq!(
        (state.status, state.orgnr.as_deref()),
        (Status::Registered, Some(ORGNR))
    );
    assert_eq!(
        state.details.name, "Tromøy sjakklubb",
        "what the founding said, when the register says no more"
    );
    organisation(vec![opened(), events[0].clone()]).when(assign()).then(&[]);
    organisation(vec![registered()])
        .when(pb::AssignOrgnr {
            orgnr: OTHER.into(),
            ..assign()
        })
        .then_refused("R-0.01", "OrgnrDiffers");
}

#[test]
fn only_a_register_gives_a_number() {
    let own = pb::FactOrigin {
        source: "self".into(),
        ..Default::default()
    };
    organisation(vec![opened()])
        .when(pb::AssignOrgnr {
            origin: Some(own),
            ..assign()
        })
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn refuses_a_number_with_a_wrong_check_digit() {
    organisation(vec![opened()])
        .when(pb::AssignOrgnr {
            orgnr: "245915102".into(),
            ..assign()
        })
        .then_refused("R-0.01", "InvalidField");
}

#[test]
fn enhetsregisteret_comes_before_frivillighetsregisteret() {
    organisation(vec![opened()])
        .when(enter())
        .then_refused("R-2.13", "NotInEnhetsregisteret");
    let (state, _) = organisation(vec![registered()])
        .when(enter())
        .then_names(&["VoluntaryRegistrationEntered"]);
    assert_eq!(
        (state.status, state.voluntary, state.grasrot),
        (Status::RegisteredVoluntary, Voluntary::Innfoert, Grasrot::Requested)
    );
}

#[test]
fn an_application_leads_to_an_entry_or_a_refusal() {
    let apply = pb::ApplyToVoluntaryRegister {
        case_id: CASE.into(),
        grasrot: true,
        ..Default::default()
    };
    let (state, applied) = organisation(vec![opened()])
        .when(apply.clone())
        .then_names(&["VoluntaryRegistrationApplied"]);
    assert_eq!(
        (state.voluntary, state.grasrot),
        (Voluntary::Applied, Grasrot::Requested)
    );
    let refuse = pb::RefuseVoluntaryRegister {
        ground: "ikke frivillig virksomhet".into(),
        case_id: CASE.into(),
        ..Default::default()
    };
    let (state, _) = organisation(vec![opened(), applied[0].clone()])
        .when(refuse.clone())
        .then_names(&["VoluntaryRegistrationRefused"]);
    assert_eq!(state.voluntary, Voluntary::Refused);
    organisation(vec![opened(), applied[0].clone()]).when(apply).then(&[]);
    organisation(vec![registered(), entered()])
        .when(refuse)
        .then_refused("R-0.99", "WrongState");
}

fn applied(case_id: &str) -> Event {
    pb::VoluntaryRegistrationApplied {
        case_id: case_id.into(),
        grasrot: true,
        ..Default::default()
    }
    .into()
}

fn end(case_id: &str) -> pb::EndVoluntaryApplication {
    pb::EndVoluntaryApplication {
        case_id: case_id.into(),
        ..Default::default()
    }
}

#[test]
fn an_application_that_came_to_nothing_leaves_things_as_they_were() {
    let (state, _) = organisation(vec![opened(), applied(CASE)])
        .when(end(CASE))
        .then_names(&["VoluntaryApplicationEnded"]);
    assert_eq!(
        (state.voluntary, state.grasrot),
        (Voluntary::None, Grasrot::NotParticipating)
    );
    let left = pb::VoluntaryRegistrationDeleted::default().into();
    let (state, _) = organisation(vec![registered(), entered(), left, applied(CASE)])
        .when(end(CASE))
        .then_names(&["VoluntaryApplicationEnded"]);
    assert_eq!(state.voluntary, Voluntary::Slettet);
}

#[test]
fn only_the_latest_application_ends_and_none_that_was_answered() {
    const LATER: &str = "00000000-0000-7000-8000-0000000000c6";
    let apply = pb::ApplyToVoluntaryRegister {
        case_id: LATER.into(),
        ..Default::default()
    };
    let (_, again) = organisation(vec![opened(), applied(CASE)])
        .when(apply)
        .then_names(&["VoluntaryRegistrationApplied"]);
    let twice = vec![opened(), applied(CASE), again[0].clone()];
    organisation(twice.clone()).when(end(CASE)).then(&[]);
    let (state, _) = organisation(twice)
        .when(end(LATER))
        .then_names(&["VoluntaryApplicationEnded"]);
    assert_eq!(
        (state.voluntary, state.grasrot),
        (Voluntary::None, Grasrot::NotParticipating)
    );
    let answers: [Event; 2] = [entered(), pb::VoluntaryRegistrationRefused::default().into()];
    for answer in answers {
        organisation(vec![registered(), applied(CASE), answer])
            .when(end(CASE))
            .then(&[]);
    }
}

#[test]
fn an_organisation_is_opened_by_one_founding_only() {
    let open = |founding_id: &str| pb::OpenOrganisation {
        founding_id: founding_id.into(),
        name: "Tromøy sjakklubb".into(),
        form: "FLI".into(),
        kommunenummer: "4203".into(),
        stiftelsesdato: "2026-03-01".into(),
        ..Default::default()
    };
    let (_, events) = organisation(vec![])
        .when(open(CASE))
        .then_names(&["OrganisationOpened"]);
    organisation(events.clone()).when(open(CASE)).then(&[]);
    organisation(events)
        .when(open(KARI))
        .then_refused("R-0.99", "OtherFounding");
    organisation(vec![registered()])
        .when(open(CASE))
        .then_refused("R-0.99", "OtherFounding");
}

#[test]
fn a_reported_board_is_as_large_as_the_bylaws_say() {
    let sized: Event = pb::BylawsAdopted {
        version: 1,
        board_size: Some(pb::BoardSize {
            board_min: Some(3),
            board_max: None,
        }),
        ..Default::default()
    }
    .into();
    let role = |code: &str, who: &str| pb::RoleHolder {
        role_code: code.into(),
        holder: Some(Holder::PersonRef(who.into())),
        ..Default::default()
    };
    let report = pb::ReportRoles {
        roles: vec![role("LEDE", KARI), role("MEDL", OLA), role("KONT", OLA)],
        ..Default::default()
    };
    organisation(vec![registered(), sized])
        .when(report)
        .then_refused("R-2.08", "BoardSizeNotAsBylaws");
}

#[test]
fn grasrotandelen_is_for_those_in_frivillighetsregisteret() {
    let approve = pb::ApproveGrasrot {
        from: "2026-03-02".into(),
        origin: Some(origin()),
        ..Default::default()
    };
    organisation(vec![registered()])
        .when(approve.clone())
        .then_refused("R-2.17", "NotInFrivillighetsregisteret");
    let (state, _) = organisation(vec![registered(), entered()])
        .when(approve)
        .then_names(&["GrasrotParticipationApproved"]);
    assert_eq!(state.grasrot, Grasrot::Approved);
}

#[test]
fn a_bank_asks_for_the_number_first() {
    let open = pb::OpenBankAccount {
        kontonummer_token: CASE.into(),
        bank: "Sparebanken".into(),
        purpose: pb::AccountPurpose::Grants.into(),
        ..Default::default()
    };
    organisation(vec![opened()])
        .when(open.clone())
        .then_refused("R-2.23", "OrgnrMissing");
    organisation(vec![registered()])
        .when(open.clone())
        .then_names(&["BankAccountLinked"]);
    let clear = pb::OpenBankAccount {
        kontonummer_token: "12345678903".into(),
        ..open
    };
    organisation(vec![registered()])
        .when(clear)
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn the_whole_board_is_reported() {
    let role = |code: &str, who: &str| pb::RoleHolder {
        role_code: code.into(),
        holder: Some(Holder::PersonRef(who.into())),
        ..Default::default()
    };
    let board = vec![role("LEDE", KARI), role("MEDL", OLA), role("KONT", OLA)];
    organisation(vec![registered()])
        .when(pb::ReportRoles {
            roles: board.clone(),
            ..Default::default()
        })
        .then_names(&["RolesReported"]);
    let deputies = pb::ReportRoles {
        roles: board,
        elected_deputies: 1,
        ..Default::default()
    };
    organisation(vec![registered()])
        .when(deputies)
        .then_refused("R-2.08", "DeputiesMissing");
}

#[test]
fn a_change_tells_the_old_value_and_the_new() {
    let change = pb::ChangeMasterData {
        changed: Some(pb::OrganisationDetails {
            name: "Tromøya sjakk".into(),
            hjemmeside: "www.sjakk.example".into(),
            ..Default::default()
        }),
        fields: vec!["name".into(), "hjemmeside".into()],
        ..Default::default()
    };
    let (state, events) = organisation(vec![registered()])
        .when(change.clone())
        .then_names(&["OrganisationDetailsChanged"]);
    let Event::OrganisationDetailsChanged(event) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(
        event.previous.as_ref().map(|previous| previous.name.as_str()),
        Some("Tromøy sjakklubb")
    );
    assert_eq!(
        (state.details.name.as_str(), state.details.form.as_str()),
        ("Tromøya sjakk", "FLI")
    );
    organisation(vec![registered(), events[0].clone()])
        .when(change)
        .then(&[]);
}

#[test]
fn the_legal_form_is_not_changed_like_a_name() {
    let change = pb::ChangeMasterData {
        fields: vec!["form".into()],
        ..Default::default()
    };
    organisation(vec![registered()])
        .when(change)
        .then_refused("R-0.00", "InvalidField");
}

#[test]
fn an_organisation_belongs_to_another_and_not_to_itself() {
    let affiliate = |parent: &str| pb::AffiliateToUmbrella {
        parent_orgnr: parent.into(),
        role_from: "underledd".into(),
        role_to: "sentralledd".into(),
        ..Default::default()
    };
    organisation(vec![registered()])
        .when(affiliate(ORGNR))
        .then_refused("R-0.00", "InvalidField");
    let (_, events) = organisation(vec![registered()])
        .when(affiliate(OTHER))
        .then_names(&["AffiliationEstablished"]);
    organisation(vec![registered(), events[0].clone()])
        .when(affiliate(OTHER))
        .then(&[]);
}

#[test]
fn a_deleted_organisation_stays_deleted() {
    let deleted = || {
        pb::OrganisationDeleted {
            successor_orgnr: Some(OTHER.into()),
            ..Default::default()
        }
        .into()
    };
    let report = pb::OpenBankAccount {
        kontonummer_token: CASE.into(),
        bank: "Banken".into(),
        purpose: pb::AccountPurpose::Grants.into(),
        ..Default::default()
    };
    organisation(vec![registered(), deleted()])
        .when(report)
        .then_refused("R-0.99", "WrongState");
    let (state, ()) = (organisation(vec![registered(), deleted()]).when(assign()).then(&[]), ());
    assert_eq!(state.answer(uuid::Uuid::nil(), 2, 2).successor_orgnr, OTHER);
}

fn move_to(line: &str) -> pb::ChangeMasterData {
    let address = pb::Address {
        kommunenummer: "4203".into(),
        postnummer: "4836".into(),
        adresse: vec![line.into()],
        ..Default::default()
    };
    pb::ChangeMasterData {
        changed: Some(pb::OrganisationDetails {
            postadresse: Some(address),
            ..Default::default()
        }),
        fields: vec!["postadresse".into()],
        ..Default::default()
    }
}

#[test]
fn an_address_has_lines_but_leads_to_no_person() {
    let (state, _) = organisation(vec![registered()])
        .when(move_to("Postboks 12"))
        .then_names(&["OrganisationDetailsChanged"]);
    assert_eq!(state.details.postadresse.expect("an address").adresse, ["Postboks 12"]);
    for line in ["c/o Styret", "v/leder", "tlf. 22 86 20 00"] {
        let refusal = organisation(vec![registered()])
            .when(move_to(line))
            .then_refused("R-0.05", "PersonalData");
        assert_eq!(refusal.field.as_deref(), Some("changed.postadresse.adresse"), "{line}");
    }
}
