//! What the matrix may not say.

use ryggrad_access::{Filter, MATRIX, Parties, Reach, Scope, Scopes, Stakeholder, View};
use ryggrad_proto::options::v1::PrivacyClass;

#[test]
fn everybody_sees_open_data_and_only_some_see_more() {
    for grant in MATRIX {
        assert!(grant.allows(PrivacyClass::Public), "{}", grant.code);
        let more = [PrivacyClass::Org, PrivacyClass::Pers, PrivacyClass::Conf]
            .into_iter()
            .any(|class| grant.allows(class));
        assert_eq!(
            more,
            grant.reach != Reach::Nowhere,
            "{}: classes and reach disagree",
            grant.code
        );
    }
}

/// Handbook 11.2: no feed for the police, aggregates only for ministry, orchestrator and county.
#[test]
fn those_who_need_aggregates_only_get_open_data_only() {
    for code in ["POLITI", "KUD", "ORCH", "FYLKE", "SSB"] {
        let stakeholder = Stakeholder::parse(code).expect("a code of the matrix");
        assert!(!stakeholder.grant().can_subscribe(), "{code}");
    }
}

#[test]
fn who_can_subscribe_has_a_legal_basis() {
    for grant in MATRIX.iter().filter(|grant| grant.can_subscribe()) {
        assert!(!grant.legal_bases.is_empty(), "{}", grant.code);
        for basis in grant.legal_bases {
            assert_eq!(grant.legal_basis(&basis.to_uppercase()), Some(*basis), "{}", grant.code);
        }
    }
}

/// Every code that an event names is one of the matrix, or everybody.
#[test]
fn events_are_for_stakeholders_that_there_are() {
    for event in ryggrad_proto::catalogue() {
        for view in &event.views {
            let known = Stakeholder::parse(view).is_some() || view == "ALL";
            assert!(known, "{} is for {view}", event.name);
        }
    }
}

#[test]
fn names_and_values_lead_to_each_other() {
    for view in View::all() {
        assert_eq!(View::parse(view.name()), Some(view));
    }
    for scope in Scope::all() {
        assert_eq!(Scope::parse(scope.name()), Some(scope));
        let alone = Scopes::parse(&format!("openid {} other:scope", scope.name()));
        assert!(Scope::all().all(|other| alone.has(other) == (other == scope)));
    }
    for grant in MATRIX {
        assert_eq!(Stakeholder::parse(&grant.code.to_lowercase()), Some(grant.stakeholder));
    }
}

#[test]
fn an_organisation_may_be_several_parties() {
    let text = "orgnr,stakeholder,kommunenummer,name\n399000106,BRREG,,a\n399000106,PARAPLY,,a\n";
    let parties = Parties::parse(text).expect("a list");
    let orgnr = ryggrad_norway::OrgNumber::parse("399000106").expect("a number");
    assert_eq!(parties.of(orgnr).len(), 2);
    assert!(Filter::parse(None).expect("no filter").is_everything());
}
