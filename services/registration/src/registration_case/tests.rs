//! A registration case, in sentences.

mod again;
mod auditor;
mod content;
mod registers;
mod review;
mod signatures;

use ryggrad_decider::scenario::{Given, given};
use ryggrad_proto::common::v1::Actor;
use ryggrad_proto::registration::v1 as pb;
use ryggrad_proto::registration::v1::role_holder::Holder;

use super::Event;
use super::RegistrationCase;

const ORGANISATION: &str = "00000000-0000-7000-8000-0000000000d1";
const KARI: &str = "00000000-0000-4000-8000-0000000000b1";
const OLA: &str = "00000000-0000-4000-8000-0000000000b2";
const LIV: &str = "00000000-0000-4000-8000-0000000000b3";
const TOKEN: &str = "00000000-0000-4000-8000-0000000000e1";
const AUDITOR: &str = "225522952";
const HASH: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// What an association says that wants to be in both registers, and in Grasrotandelen.
fn content() -> pb::RegistrationContent {
    pb::RegistrationContent {
        form: "FLI".into(),
        name: "Tromøy sjakklubb".into(),
        purpose: "Fremme sjakk på Tromøy.".into(),
        stiftelsesdato: "2026-03-01".into(),
        vedtektsdato: "2026-03-01".into(),
        forretningsadresse: Some(pb::Address {
            kommunenummer: "4203".into(),
            ..Default::default()
        }),
        frivillig_organisasjon: Some(pb::VoluntaryContent {
            icnpo: vec!["1300".into(), "13100".into()],
            grasrotandel: Some(pb::Grasrotandel {
                deltar_i: true,
                drives_all_aktivitet_lokalt_eller_regionalt: Some(true),
                frivillig_arbeidsinnsats: Some(true),
                utfoerer_oppgaver_for_det_offentlige: Some(false),
                utfoerer_sykehuslignende_tjenester: Some(false),
                er_ungdomsorganisasjon: Some(false),
                er_elev_eller_studentorganisasjon: Some(false),
            }),
            registreringsrett: Some(pb::Registreringsrett {
                har_offentlig_flertall_i_styret: Some(false),
                utdeling_til_fysiske_personer: Some(false),
                har_utdelinger: Some(false),
                ..Default::default()
            }),
            har_kontonummer: true,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn draft(content: pb::RegistrationContent) -> pb::DraftRegistration {
    pb::DraftRegistration {
        organisation_id: ORGANISATION.into(),
        registers: vec!["ER".into(), "FR".into()],
        kind: pb::CaseKind::New.into(),
        content: Some(content),
        kontonummer_token: TOKEN.into(),
        ..Default::default()
    }
}

/// The same with other words about Frivillighetsregisteret.
fn draft_with(change: impl FnOnce(&mut pb::VoluntaryContent)) -> pb::DraftRegistration {
    let mut content = content();
    change(content.frivillig_organisasjon.as_mut().expect("the sample has it"));
    draft(content)
}

fn drafted() -> Event {
    pb::RegistrationDrafted {
        organisation_id: ORGANISATION.into(),
        registers: vec!["ER".into(), "FR".into()],
        kind: pb::CaseKind::New.into(),
        content: Some(content()),
        ..Default::default()
    }
    .into()
}

fn attached(kind: pb::DocumentKind) -> Event {
    pb::DocumentAttached {
        kind: kind.into(),
        hash: HASH.into(),
        ..Default::default()
    }
    .into()
}

/// A draft with everything that has to be there before anybody signs.
fn complete() -> Vec<Event> {
    vec![
        drafted(),
        attached(pb::DocumentKind::Vedtekter),
        attached(pb::DocumentKind::Stiftelsesdokument),
    ]
}

fn signer(who: &str, role: &str) -> pb::Signer {
    pb::Signer {
        person_ref: who.into(),
        role_code: role.into(),
    }
}

fn role(code: &str, who: &str) -> pb::RoleHolder {
    pb::RoleHolder {
        role_code: code.into(),
        holder: Some(Holder::PersonRef(who.into())),
        ..Default::default()
    }
}

fn roles() -> Vec<pb::RoleHolder> {
    vec![
        role("LEDE", KARI),
        role("MEDL", OLA),
        role("MEDL", LIV),
        role("KONT", KARI),
    ]
}

fn signers() -> Vec<pb::Signer> {
    vec![signer(KARI, "LEDE"), signer(OLA, "MEDL"), signer(LIV, "MEDL")]
}

fn request() -> pb::RequestSignatures {
    pb::RequestSignatures {
        roles: roles(),
        signers: signers(),
        ..Default::default()
    }
}

fn requested() -> Event {
    pb::SignaturesRequested {
        signers: signers(),
        roles: roles(),
        ..Default::default()
    }
    .into()
}

fn signed(who: &str) -> Event {
    pb::RegistrationSigned {
        person_ref: who.into(),
        ..Default::default()
    }
    .into()
}

/// A case that three people have been asked to sign, and these have.
fn signed_by(people: &[&str]) -> Vec<Event> {
    let mut events = complete();
    events.push(requested());
    events.extend(people.iter().map(|who| signed(who)));
    events
}

fn submitted() -> Vec<Event> {
    let mut events = signed_by(&[KARI, OLA, LIV]);
    events.push(pb::RegistrationSubmitted::default().into());
    events
}

fn case(events: Vec<Event>) -> Given<RegistrationCase> {
    given::<RegistrationCase>(events).by(Actor::default())
}

fn submit() -> pb::SubmitRegistration {
    pb::SubmitRegistration {
        maalform: "nb".into(),
        ..Default::default()
    }
}
