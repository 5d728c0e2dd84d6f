//! A consumer as people name it, and what it usually may.

use ryggrad_access::{Parties, Party, Scope, Stakeholder};
use ryggrad_norway::OrgNumber;
use ryggrad_proto::options::v1::PrivacyClass;

/// Nobody is called that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is nobody: {problem}")]
pub struct PartyUnknown {
    /// What was asked for.
    pub name: String,
    /// Why it is nobody.
    pub problem: String,
}

/// The organisation that is meant, and as what.
///
/// - `org:310028843` is an organisation by its number, whatever it is;
/// - `kommune:4203` is a municipality, and `nfs:4203` a volunteer centre, by the number of the municipality;
/// - `lottstift` is the first of the list that is this stakeholder, `platform:2` the second.
///
/// # Errors
/// When the list has no such party.
pub fn party(name: &str, parties: &Parties) -> Result<(OrgNumber, Stakeholder), PartyUnknown> {
    let unknown = |problem: String| PartyUnknown {
        name: name.to_owned(),
        problem,
    };
    let (code, which) = name
        .split_once(':')
        .map_or((name, None), |(code, which)| (code, Some(which)));
    let stakeholder = Stakeholder::parse(code).ok_or_else(|| {
        let codes: Vec<_> = ryggrad_access::MATRIX
            .iter()
            .map(|grant| grant.code.to_lowercase())
            .collect();
        unknown(format!("there are {}", codes.join(", ")))
    })?;
    if stakeholder == Stakeholder::Org {
        let number = which.ok_or_else(|| unknown("say which: org:310028843".to_owned()))?;
        let number = OrgNumber::parse(number).map_err(|error| unknown(error.to_string()))?;
        return Ok((number, stakeholder));
    }
    let all = parties.who_is(stakeholder);
    let in_kommune = |party: &&&Party| party.kommune.is_some_and(|kommune| Some(kommune.code()) == which);
    let nth = || which.map_or(Some(1), |which| which.parse::<usize>().ok());
    let found = all
        .iter()
        .find(in_kommune)
        .or_else(|| all.get(nth()?.checked_sub(1)?))
        .ok_or_else(|| unknown(format!("the list has {} that are {}", all.len(), stakeholder.code())))?;
    Ok((found.orgnr, stakeholder))
}

/// What a stakeholder asks for when it says nothing else: everything that the matrix can let it have.
pub fn usual_scopes(stakeholder: Stakeholder) -> Vec<Scope> {
    let grant = stakeholder.grant();
    let allowed = |scope: &Scope| match scope {
        Scope::EventsOrgRead => grant.allows(PrivacyClass::Org),
        Scope::EventsPersRead => grant.allows(PrivacyClass::Pers),
        Scope::EventsConfRead => grant.allows(PrivacyClass::Conf),
        Scope::ViewsRead => !grant.views.is_empty(),
        Scope::SubscriptionsWrite => grant.can_subscribe(),
        Scope::CommandsWrite => matches!(stakeholder, Stakeholder::Org | Stakeholder::Platform),
        Scope::AuthorityWrite => stakeholder == Stakeholder::Brreg,
        Scope::AdminWrite => stakeholder == Stakeholder::Orch,
    };
    Scope::all().filter(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_found_by_what_people_call_it() {
        let parties = Parties::development();
        let number = |name| party(name, &parties).unwrap().0;
        assert_eq!(party("LottStift", &parties).unwrap().1, Stakeholder::Lottstift);
        assert_ne!(number("platform"), number("platform:2"));
        assert_eq!(number("platform"), number("platform:1"));
        let arendal = parties.of(number("kommune:4203"))[0].kommune.unwrap();
        assert_eq!(arendal.code(), "4203");
        assert_eq!(number("org:310028843").as_str(), "310028843");
    }

    #[test]
    fn nobody_is_told_who_there_is() {
        let parties = Parties::development();
        for (name, said) in [
            ("x", "lottstift"),
            ("org", "say which"),
            ("org:123", "nobody"),
            ("kommune:9999", "KOMMUNE"),
            ("platform:0", "PLATFORM"),
            ("platform:99", "PLATFORM"),
        ] {
            let error = party(name, &parties).expect_err(name).to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_municipality_writes_nothing_by_default_but_subscriptions() {
        let scopes = usual_scopes(Stakeholder::Kommune);
        assert!(scopes.contains(&Scope::EventsPersRead) && scopes.contains(&Scope::SubscriptionsWrite));
        assert!(!scopes.contains(&Scope::EventsConfRead) && !scopes.contains(&Scope::AuthorityWrite));
        assert_eq!(usual_scopes(Stakeholder::Orch), [Scope::AdminWrite]);
        assert!(usual_scopes(Stakeholder::Brreg).contains(&Scope::AuthorityWrite));
    }
}
