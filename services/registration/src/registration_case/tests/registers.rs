//! What each register asks for, by the kind of the case.

use ryggrad_decider::Nature;
use ryggrad_proto::registration::v1 as pb;

use super::{AUDITOR, attached, case, content, draft, request, role, signer};
use crate::registration_case::Event;

const ORGNR: &str = "245915101";

/// A notification of a kind to these registers that says nothing of Frivillighetsregisteret.
fn to(kind: pb::CaseKind, registers: &[&str], content: pb::RegistrationContent) -> pb::DraftRegistration {
    pb::DraftRegistration {
        registers: registers.iter().map(ToString::to_string).collect(),
        kind: kind.into(),
        ..draft(content)
    }
}

fn numbered() -> pb::RegistrationContent {
    pb::RegistrationContent {
        organisasjonsnummer: ORGNR.into(),
        ..Default::default()
    }
}

#[track_caller]
fn refused(command: pb::DraftRegistration, rule: &str, code: &str, field: &str) {
    let refusal = case(vec![]).when(command).then_refused(rule, code);
    assert_eq!(refusal.field.as_deref(), Some(field));
}

#[track_caller]
fn drafted(command: pb::DraftRegistration) {
    case(vec![]).when(command).then_names(&["RegistrationDrafted"]);
}

#[test]
fn who_is_new_to_a_register_has_a_number_and_who_is_to_get_one_has_none() {
    let business = || pb::RegistrationContent {
        driver_naeringsvirksomhet: true,
        ..Default::default()
    };
    for register in ["FOR", "MVA"] {
        refused(
            to(pb::CaseKind::New, &[register], business()),
            "R-0.00",
            "InvalidField",
            "content.organisasjonsnummer",
        );
        let with_number = pb::RegistrationContent {
            driver_naeringsvirksomhet: true,
            ..numbered()
        };
        drafted(to(pb::CaseKind::New, &[register], with_number));
    }
    let numbered = pb::RegistrationContent {
        organisasjonsnummer: ORGNR.into(),
        ..content()
    };
    refused(
        to(pb::CaseKind::New, &["ER", "FR"], numbered),
        "R-0.00",
        "InvalidField",
        "content.organisasjonsnummer",
    );
}

#[test]
fn foretaksregisteret_is_for_business_also_where_no_form_is_said() {
    for kind in [pb::CaseKind::New, pb::CaseKind::Change] {
        refused(to(kind, &["FOR"], numbered()), "R-2.20", "NoBusiness", "registers");
        let company = pb::RegistrationContent {
            form: "AS".into(),
            ..numbered()
        };
        drafted(to(kind, &["FOR"], company));
    }
    // One whose business has ended leaves it.
    let association = pb::RegistrationContent {
        form: "FLI".into(),
        ..numbered()
    };
    drafted(to(pb::CaseKind::Deletion, &["FOR"], association));
}

#[test]
fn stiftelsesregisteret_asks_for_the_form() {
    for kind in [pb::CaseKind::New, pb::CaseKind::Change] {
        refused(to(kind, &["STI"], numbered()), "R-0.00", "InvalidField", "content.form");
        let of = |form: &str| pb::RegistrationContent {
            form: form.into(),
            ..numbered()
        };
        refused(to(kind, &["STI"], of("FLI")), "R-2.99", "OnlyFoundations", "registers");
        drafted(to(kind, &["STI"], of("STI")));
    }
}

/// A new unit of a form, with everything but its capital said.
fn new_unit(form: &str, business: bool, kapital: Option<i64>) -> Vec<Event> {
    let registers: &[&str] = match form {
        "STI" => &["ER", "STI"],
        "FLI" => &["ER"],
        _ => &["ER", "FOR"],
    };
    let drafted = pb::RegistrationDrafted {
        registers: registers.iter().map(ToString::to_string).collect(),
        kind: pb::CaseKind::New.into(),
        content: Some(pb::RegistrationContent {
            form: form.into(),
            driver_naeringsvirksomhet: business,
            revisor_orgnr: AUDITOR.into(),
            kapital,
            frivillig_organisasjon: None,
            ..content()
        }),
        ..Default::default()
    };
    vec![
        drafted.into(),
        attached(pb::DocumentKind::Vedtekter),
        attached(pb::DocumentKind::Stiftelsesdokument),
    ]
}

#[test]
fn a_foundation_and_a_company_say_their_capital_before_anybody_signs() {
    for (form, business, enough) in [("STI", false, 100_000), ("STI", true, 200_000), ("AS", true, 30_000)] {
        for too_small in [None, Some(0), Some(enough - 1)] {
            let refusal = case(new_unit(form, business, too_small))
                .when(request())
                .then_refused("R-2.99", "CapitalTooSmall");
            assert_eq!(refusal.field.as_deref(), Some("content.kapital"));
            assert_eq!(
                refusal.rule.nature,
                Nature::Practice,
                "it is our own knowledge, and no law"
            );
        }
        case(new_unit(form, business, Some(enough)))
            .when(request())
            .then_names(&["SignaturesRequested"]);
    }
    for form in ["FLI", "SA"] {
        case(new_unit(form, false, None))
            .when(request())
            .then_names(&["SignaturesRequested"]);
    }
}

#[test]
fn no_capital_is_less_than_nothing() {
    let owing = pb::RegistrationContent {
        kapital: Some(-1),
        ..content()
    };
    refused(draft(owing), "R-0.00", "InvalidField", "content.kapital");
}

#[test]
fn a_foundation_new_to_its_register_has_an_auditor_and_its_capital() {
    let drafted = |revisor: &str, kapital| {
        let drafted = pb::RegistrationDrafted {
            registers: vec!["STI".into()],
            kind: pb::CaseKind::New.into(),
            content: Some(pb::RegistrationContent {
                form: "STI".into(),
                revisor_orgnr: revisor.into(),
                kapital,
                ..numbered()
            }),
            ..Default::default()
        };
        case(vec![drafted.into()])
    };
    let request = || pb::RequestSignatures {
        signers: vec![signer(super::KARI, "LEDE")],
        ..Default::default()
    };
    drafted("", Some(100_000))
        .when(request())
        .then_refused("R-2.99", "AuditorMissing");
    drafted(AUDITOR, None)
        .when(request())
        .then_refused("R-2.99", "CapitalTooSmall");
    drafted(AUDITOR, Some(100_000))
        .when(request())
        .then_names(&["SignaturesRequested"]);
}

#[test]
fn bylaws_are_asked_for_by_law_for_frivillighetsregisteret_only() {
    let mut past = new_unit("FLI", false, None);
    past.truncate(1);
    let request = pb::RequestSignatures {
        roles: vec![
            role("LEDE", super::KARI),
            role("MEDL", super::OLA),
            role("KONT", super::KARI),
        ],
        signers: vec![signer(super::KARI, "LEDE")],
        ..Default::default()
    };
    let refusal = case(past)
        .when(request.clone())
        .then_refused("R-2.03", "DocumentMissing");
    assert_eq!(refusal.rule.nature, Nature::Practice);
    let refusal = case(vec![super::drafted()])
        .when(request)
        .then_refused("R-2.05", "DocumentMissing");
    assert_eq!(refusal.rule.nature, Nature::Law);
}

#[test]
fn an_answer_that_takes_the_right_away_names_the_law() {
    let mut content = content();
    let voluntary = content.frivillig_organisasjon.as_mut().expect("the sample has it");
    voluntary
        .registreringsrett
        .as_mut()
        .expect("the sample has it")
        .har_offentlig_flertall_i_styret = Some(true);
    let refusal = case(vec![])
        .when(draft(content))
        .then_refused("R-2.15", "NoRightToRegister");
    assert_eq!(refusal.legal_reference, Some("frivillighetsregisterloven §§ 3-4"));
}
