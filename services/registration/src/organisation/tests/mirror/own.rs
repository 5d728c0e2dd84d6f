//! The register's word and the organisation's own: the later one stands.

use jiff::Timestamp;
use ryggrad_proto::registration::v1 as pb;

use super::{mirror, mirrored, site};
use crate::organisation::Event;
use crate::organisation::tests::organisation;

fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// An organisation that has changed its website by itself, at noon on 2 March 2026.
fn changed(website: &str) -> Vec<Event> {
    let change = pb::ChangeMasterData {
        changed: Some(pb::OrganisationDetails {
            hjemmeside: website.into(),
            ..Default::default()
        }),
        fields: vec!["hjemmeside".into()],
        ..Default::default()
    };
    let (_, said) = organisation(mirrored())
        .at(instant("2026-03-02T12:00:00Z"))
        .when(change)
        .then_names(&["OrganisationDetailsChanged"]);
    [mirrored(), said].concat()
}

#[test]
fn what_the_organisation_said_itself_is_not_emptied_by_the_registers_silence() {
    let past = changed("www.example.org");
    organisation(past.clone()).when(mirror(|_| {})).then(&[]);
    let (state, _) = organisation(past)
        .when(mirror(site("www.example.com")))
        .then_names(&["OrganisationDetailsChanged"]);
    assert_eq!(state.details.hjemmeside, "www.example.com", "the register speaks");
}

/// A snapshot with another name and website, changed at the source and read at these times.
fn taken(updated: Option<&str>, fetched: Option<&str>) -> pb::MirrorRegister {
    let at = |text: Option<&str>| text.map(|text| instant(text).into());
    let (source_updated_at, fetched_at) = (at(updated), at(fetched));
    mirror(|snapshot| {
        site("www.example.com")(snapshot);
        snapshot.details.as_mut().expect("details").name = "TROMØYA SJAKK".into();
        let origin = snapshot.origin.as_mut().expect("an origin");
        (origin.source_updated_at, origin.fetched_at) = (source_updated_at, fetched_at);
    })
}

#[test]
fn a_snapshot_from_before_the_organisations_own_word_does_not_undo_it() {
    let (before, after) = (Some("2026-03-02T10:00:00Z"), Some("2026-03-02T14:00:00Z"));
    let past = changed("www.example.org");
    for older in [taken(None, before), taken(before, None), taken(before, after)] {
        let (state, told) = organisation(past.clone())
            .when(older.clone())
            .then_names(&["OrganisationDetailsChanged"]);
        assert_eq!(
            (state.details.hjemmeside.as_str(), state.details.name.as_str()),
            ("www.example.org", "TROMØYA SJAKK"),
            "only what the organisation did not say itself"
        );
        organisation([past.clone(), told].concat()).when(older).then(&[]);
    }
    for newer in [taken(None, after), taken(after, None)] {
        let (state, _) = organisation(past.clone())
            .when(newer)
            .then_names(&["OrganisationDetailsChanged"]);
        assert_eq!(state.details.hjemmeside, "www.example.com");
    }
}
