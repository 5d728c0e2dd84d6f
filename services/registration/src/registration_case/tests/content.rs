//! What a notification may say, and what it must.

use ryggrad_proto::registration::v1 as pb;

use super::{attached, case, complete, content, draft, draft_with, drafted, request, requested};
use crate::registration_case::Event;

#[track_caller]
fn refused(command: pb::DraftRegistration, rule: &str, code: &str) {
    case(vec![]).when(command).then_refused(rule, code);
}

#[test]
fn a_full_notification_is_drafted_without_its_account() {
    let (_, events) = case(vec![]).when(draft(content())).then_names(&["RegistrationDrafted"]);
    let Event::RegistrationDrafted(event) = &events[0] else {
        panic!("another event")
    };
    assert_eq!(
        event.content.as_ref(),
        Some(&content()),
        "only that there is an account"
    );
}

/// Handbook 4, second acceptance example.
#[test]
fn four_icnpo_codes_or_a_group_are_refused() {
    refused(
        draft_with(|v| v.icnpo = ["1100", "1200", "1300", "2300"].map(String::from).to_vec()),
        "R-2.16",
        "IcnpoCount",
    );
    refused(draft_with(|v| v.icnpo = vec!["1".into()]), "R-2.16", "InvalidField");
    refused(draft_with(|v| v.icnpo.clear()), "R-2.16", "IcnpoCount");
    refused(
        draft_with(|v| v.icnpo = vec!["1300".into(), "1300".into()]),
        "R-2.16",
        "IcnpoTwice",
    );
}

/// Handbook 4, third acceptance example.
#[test]
fn grasrotandelen_needs_an_account_and_local_activity() {
    refused(
        pb::DraftRegistration {
            kontonummer_token: String::new(),
            ..draft(content())
        },
        "R-2.17",
        "AccountMissing",
    );
    for answer in [None, Some(false)] {
        let abroad = draft_with(|v| {
            let grasrot = v.grasrotandel.as_mut().expect("the sample has it");
            grasrot.drives_all_aktivitet_lokalt_eller_regionalt = answer;
        });
        refused(abroad, "R-2.17", "NotLocal");
    }
}

#[test]
fn grasrotandelen_asks_six_questions() {
    let silent = draft_with(|v| {
        v.grasrotandel
            .as_mut()
            .expect("the sample has it")
            .er_ungdomsorganisasjon = None;
    });
    refused(silent, "R-2.17", "GrasrotUnanswered");
    let no = draft_with(|v| v.grasrotandel = Some(pb::Grasrotandel::default()));
    case(vec![])
        .when(pb::DraftRegistration {
            kontonummer_token: String::new(),
            ..no
        })
        .then_names(&["RegistrationDrafted"]);
}

#[test]
fn the_answers_decide_the_right_to_register() {
    let with = |change: fn(&mut pb::Registreringsrett)| {
        draft_with(|v| change(v.registreringsrett.as_mut().expect("the sample has it")))
    };
    refused(
        with(|a| a.har_offentlig_flertall_i_styret = Some(true)),
        "R-2.15",
        "NoRightToRegister",
    );
    refused(
        with(|a| a.flertall_av_aksjer_eid_av_offentlig = Some(true)),
        "R-2.15",
        "NoRightToRegister",
    );
    refused(
        with(|a| a.utdeling_til_fysiske_personer = Some(true)),
        "R-2.15",
        "NoRightToRegister",
    );
    refused(
        with(|a| {
            a.har_utdelinger = Some(true);
            a.utdeling_utelukkende_til_frivillige = Some(false);
        }),
        "R-2.15",
        "NoRightToRegister",
    );
    refused(
        with(|a| a.har_offentlig_flertall_i_styret = None),
        "R-2.15",
        "RightToRegisterUnanswered",
    );
    refused(
        with(|a| a.har_utdelinger = Some(true)),
        "R-2.15",
        "RightToRegisterUnanswered",
    );
    refused(
        draft_with(|v| v.registreringsrett = None),
        "R-2.15",
        "RightToRegisterUnanswered",
    );
}

#[test]
fn frivillighetsregisteret_needs_enhetsregisteret_before_or_with_it() {
    let alone = pb::DraftRegistration {
        registers: vec!["FR".into()],
        ..draft(content())
    };
    refused(alone.clone(), "R-2.13", "NotInEnhetsregisteret");
    let registered = pb::RegistrationContent {
        organisasjonsnummer: "245915101".into(),
        ..content()
    };
    case(vec![])
        .when(pb::DraftRegistration {
            content: Some(registered),
            ..alone
        })
        .then_names(&["RegistrationDrafted"]);
}

#[test]
fn a_cooperative_and_a_public_body_cannot_enter_frivillighetsregisteret() {
    let of_form = |form: &str, registers: &[&str]| pb::DraftRegistration {
        registers: registers.iter().map(ToString::to_string).collect(),
        ..draft(pb::RegistrationContent {
            form: form.into(),
            frivillig_organisasjon: content().frivillig_organisasjon.filter(|_| registers.contains(&"FR")),
            ..content()
        })
    };
    refused(of_form("SA", &["ER", "FOR", "FR"]), "R-2.14", "FormNotEligible");
    refused(of_form("ORGL", &["ER", "FR"]), "R-2.14", "FormNotEligible");
    case(vec![])
        .when(of_form("SA", &["ER", "FOR"]))
        .then_names(&["RegistrationDrafted"]);
}

#[test]
fn a_company_enters_only_when_all_it_distributes_is_voluntary() {
    let company = |answer: Option<bool>| {
        let mut content = pb::RegistrationContent {
            form: "AS".into(),
            ..content()
        };
        let voluntary = content.frivillig_organisasjon.as_mut().expect("the sample has it");
        let answers = voluntary.registreringsrett.as_mut().expect("the sample has it");
        answers.flertall_av_aksjer_eid_av_offentlig = Some(false);
        answers.har_utdelinger = Some(true);
        answers.utdeling_utelukkende_til_frivillige = answer;
        pb::DraftRegistration {
            registers: ["ER", "FOR", "FR"].map(String::from).to_vec(),
            ..draft(content)
        }
    };
    refused(company(Some(false)), "R-2.14", "DistributionsNotVoluntary");
    refused(company(None), "R-2.15", "RightToRegisterUnanswered");
    case(vec![])
        .when(company(Some(true)))
        .then_names(&["RegistrationDrafted"]);
}

#[test]
fn each_form_has_its_registers() {
    let of_form = |form: &str, registers: &[&str], business: bool| pb::DraftRegistration {
        registers: registers.iter().map(ToString::to_string).collect(),
        ..draft(pb::RegistrationContent {
            form: form.into(),
            driver_naeringsvirksomhet: business,
            frivillig_organisasjon: None,
            ..content()
        })
    };
    refused(of_form("FLI", &["ER", "FOR"], false), "R-2.20", "NoBusiness");
    refused(of_form("FLI", &["ER", "STI"], false), "R-2.99", "OnlyFoundations");
    refused(of_form("STI", &["ER"], false), "R-2.99", "RegisterMissing");
    refused(of_form("AS", &["ER"], false), "R-2.99", "RegisterMissing");
    refused(of_form("BEDR", &["ER"], false), "R-2.99", "SubUnitNotFounded");
    refused(of_form("FLI", &["ER", "XX"], false), "R-0.00", "InvalidField");
    case(vec![])
        .when(of_form("FLI", &["ER", "FOR"], true))
        .then_names(&["RegistrationDrafted"]);
}

#[test]
fn a_year_end_is_a_day_that_exists_every_year() {
    let leap = draft_with(|v| {
        v.rapporteringsplikt_regnskap = Some(pb::RapporteringspliktRegnskap {
            har_paatatt_seg_rapporteringsplikt: true,
            avslutningsdato_regnskapsperiode: Some("2902".into()),
        });
    });
    refused(leap, "R-2.18", "InvalidField");
}

#[test]
fn nobody_signs_before_enhetsregisteret_knows_what_it_must() {
    for (field, empty) in [
        (
            "content.name",
            pb::RegistrationContent {
                name: String::new(),
                ..content()
            },
        ),
        (
            "content.purpose",
            pb::RegistrationContent {
                purpose: String::new(),
                ..content()
            },
        ),
        (
            "content.stiftelsesdato",
            pb::RegistrationContent {
                stiftelsesdato: String::new(),
                ..content()
            },
        ),
        (
            "content.forretningsadresse.kommunenummer",
            pb::RegistrationContent {
                forretningsadresse: None,
                ..content()
            },
        ),
    ] {
        let mut events = complete();
        events.push(
            pb::RegistrationAmended {
                registers: vec!["ER".into(), "FR".into()],
                content: Some(empty),
                ..Default::default()
            }
            .into(),
        );
        let refusal = case(events).when(request()).then_refused("R-2.07", "ContentIncomplete");
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}

#[test]
fn bylaws_and_founding_document_are_attached() {
    let refusal = case(vec![drafted()])
        .when(request())
        .then_refused("R-2.05", "DocumentMissing");
    assert_eq!(refusal.field.as_deref(), Some("kind"), "of the document");
    assert!(
        !refusal.text.en.contains("founding"),
        "only what is missing is asked for"
    );
    let refusal = case(vec![drafted(), attached(pb::DocumentKind::Vedtekter)])
        .when(request())
        .then_refused("R-2.03", "DocumentMissing");
    assert!(!refusal.text.en.contains("bylaws"), "only what is missing is asked for");
    case(complete()).when(request()).then_names(&["SignaturesRequested"]);
}

#[test]
fn an_explanation_and_minutes_stand_in_for_a_lost_founding_document() {
    let mut events = vec![
        drafted(),
        attached(pb::DocumentKind::Vedtekter),
        attached(pb::DocumentKind::Forklaring),
    ];
    case(events.clone())
        .when(request())
        .then_refused("R-2.04", "DocumentMissing");
    events.push(attached(pb::DocumentKind::Protokoll));
    case(events).when(request()).then_names(&["SignaturesRequested"]);
}

#[test]
fn a_new_board_is_declared_instead_of_sending_minutes() {
    let change = pb::RegistrationContent {
        organisasjonsnummer: "245915101".into(),
        endrer_styret: true,
        form: "FLI".into(),
        ..Default::default()
    };
    let drafted: Event = pb::RegistrationDrafted {
        registers: vec!["ER".into()],
        kind: pb::CaseKind::Change.into(),
        content: Some(change),
        ..Default::default()
    }
    .into();
    let minutes = attached(pb::DocumentKind::Protokoll);
    let refusal = case(vec![drafted.clone(), minutes])
        .when(request())
        .then_refused("R-2.09", "BoardElectionNotDeclared");
    assert_eq!(refusal.field.as_deref(), Some("content.endrer_styret"));
    let declare = pb::DeclareBoardElection {
        elected_by: "årsmøte".into(),
        minutes_exist: true,
        declared_by: super::KARI.into(),
        ..Default::default()
    };
    let unwritten = pb::DeclareBoardElection {
        minutes_exist: false,
        ..declare.clone()
    };
    case(vec![drafted.clone()])
        .when(unwritten)
        .then_refused("R-2.09", "MinutesMissing");
    let (_, declared) = case(vec![drafted.clone()])
        .when(declare)
        .then_names(&["BoardElectionDeclared"]);
    case(vec![drafted, declared[0].clone()])
        .when(request())
        .then_names(&["SignaturesRequested"]);
}

#[test]
fn the_same_content_again_changes_nothing() {
    let amend = pb::AmendRegistration {
        registers: vec!["ER".into(), "FR".into()],
        content: Some(content()),
        kontonummer_token: super::TOKEN.into(),
        ..Default::default()
    };
    let mut events = complete();
    events.push(requested());
    case(events).when(amend).then(&[]);
}

/// A change that says what it changes, and the number, and nothing else.
fn change_with(change: impl FnOnce(&mut pb::VoluntaryContent)) -> pb::DraftRegistration {
    let mut voluntary = pb::VoluntaryContent::default();
    change(&mut voluntary);
    pb::DraftRegistration {
        registers: vec!["FR".into()],
        kind: pb::CaseKind::Change.into(),
        ..draft(pb::RegistrationContent {
            organisasjonsnummer: "245915101".into(),
            frivillig_organisasjon: Some(voluntary),
            ..Default::default()
        })
    }
}

#[test]
fn a_change_is_held_to_the_same_rules_without_saying_the_form_again() {
    case(vec![])
        .when(change_with(|v| v.icnpo = vec!["1200".into()]))
        .then_names(&["RegistrationDrafted"]);
    let four = ["1200", "1300", "13100", "14100"].map(str::to_owned);
    refused(change_with(|v| v.icnpo = four.to_vec()), "R-2.16", "IcnpoCount");
    refused(change_with(|v| v.icnpo = vec!["1".into()]), "R-2.16", "InvalidField");
    let distributes = pb::Registreringsrett {
        har_offentlig_flertall_i_styret: Some(false),
        utdeling_til_fysiske_personer: Some(true),
        har_utdelinger: Some(true),
        ..Default::default()
    };
    refused(
        change_with(|v| v.registreringsrett = Some(distributes)),
        "R-2.15",
        "NoRightToRegister",
    );
    let mut national = content()
        .frivillig_organisasjon
        .and_then(|v| v.grasrotandel)
        .expect("the sample has it");
    national.drives_all_aktivitet_lokalt_eller_regionalt = Some(false);
    let refusal = case(vec![])
        .when(change_with(|v| v.grasrotandel = Some(national)))
        .then_refused("R-2.17", "NotLocal");
    assert!(refusal.field.is_some());
    let without_account = pb::DraftRegistration {
        kontonummer_token: String::new(),
        ..change_with(|v| {
            national.drives_all_aktivitet_lokalt_eller_regionalt = Some(true);
            v.grasrotandel = Some(national);
        })
    };
    refused(without_account, "R-2.17", "AccountMissing");
}

#[test]
fn what_is_for_frivillighetsregisteret_is_not_sent_past_it() {
    for kind in [pb::CaseKind::New, pb::CaseKind::Change] {
        let draft = pb::DraftRegistration {
            registers: vec!["ER".into()],
            kind: kind.into(),
            ..draft(pb::RegistrationContent {
                organisasjonsnummer: if kind == pb::CaseKind::New { "" } else { "245915101" }.into(),
                ..content()
            })
        };
        let refusal = case(vec![])
            .when(draft)
            .then_refused("R-0.00", "NotForFrivillighetsregisteret");
        assert_eq!(refusal.field.as_deref(), Some("content.frivillig_organisasjon"));
    }
}
