use super::*;

const ORGNR: u32 = 310_000_019;

fn key() -> Key {
    let words = Vocabulary::get();
    Key {
        event_type: words.event_type("registration", "OrganisationRegistered").unwrap(),
        context: words.context("registration").unwrap(),
        aggregate: words.aggregate("Organisation").unwrap(),
        class: 1,
        kommune: 4601,
        orgnr: ORGNR,
        actor: 0,
        organisation: Uuid::from_u128(1),
        related: [Uuid::from_u128(2)].into(),
    }
}

#[track_caller]
fn passes(asked: &EventFilter) -> bool {
    Filter::parse(Some(asked)).unwrap().passes(&key())
}

#[track_caller]
fn refused(asked: &EventFilter) -> String {
    Filter::parse(Some(asked)).unwrap_err().field
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_filter_lets_everything_pass() {
    let filter = Filter::parse(Some(&EventFilter::default())).unwrap();
    assert!(filter.is_everything() && filter.passes(&key()));
}

#[test]
fn a_type_is_named_short_or_in_full() {
    for (name, expected) in [
        ("OrganisationRegistered", true),
        ("no.ryggrad.registration.OrganisationRegistered.v1", true),
        ("InitiativeSketched", false),
    ] {
        assert_eq!(
            passes(&EventFilter {
                types: texts(&[name]),
                ..Default::default()
            }),
            expected,
            "{name}"
        );
    }
}

#[test]
fn values_of_a_field_are_alternatives_and_fields_are_all_required() {
    let types = texts(&["InitiativeSketched", "OrganisationRegistered"]);
    assert!(passes(&EventFilter {
        types: types.clone(),
        contexts: texts(&["registration"]),
        ..Default::default()
    }));
    assert!(!passes(&EventFilter {
        types,
        classes: vec![PrivacyClass::Conf as i32],
        ..Default::default()
    }));
}

#[test]
fn a_county_stands_for_its_municipalities() {
    for (number, expected) in [("4601", true), ("46", true), ("0301", false), ("03", false)] {
        assert_eq!(
            passes(&EventFilter {
                kommunenummer: texts(&[number]),
                ..Default::default()
            }),
            expected,
            "{number}"
        );
    }
}

#[test]
fn an_organisation_passes_by_id_by_number_and_as_a_related_one() {
    let ids = [
        Uuid::from_u128(1).to_string(),
        Uuid::from_u128(2).to_string(),
        ORGNR.to_string(),
    ];
    for id in ids {
        assert!(
            passes(&EventFilter {
                organisations: vec![id.clone()],
                ..Default::default()
            }),
            "{id}"
        );
    }
    assert!(!passes(&EventFilter {
        organisations: vec![Uuid::from_u128(3).to_string()],
        ..Default::default()
    }));
}

#[test]
fn rows_of_views_have_neither_types_nor_classes() {
    let about = Key::about(Uuid::from_u128(1), Some(&ORGNR.to_string()), Some("4601"));
    let bound = EventFilter {
        organisations: vec![ORGNR.to_string()],
        kommunenummer: texts(&["46"]),
        ..Default::default()
    };
    assert!(Filter::parse(Some(&bound)).unwrap().passes_rows(&about));
    for (field, asked) in [
        (
            "types",
            EventFilter {
                types: texts(&["OrganisationRegistered"]),
                ..Default::default()
            },
        ),
        (
            "contexts",
            EventFilter {
                contexts: texts(&["registration"]),
                ..Default::default()
            },
        ),
        (
            "classes",
            EventFilter {
                classes: vec![PrivacyClass::Conf as i32],
                ..Default::default()
            },
        ),
        (
            "aggregate_types",
            EventFilter {
                aggregate_types: texts(&["Organisation"]),
                ..Default::default()
            },
        ),
    ] {
        let filter = Filter::parse(Some(&asked)).unwrap();
        assert!(!filter.passes_rows(&about), "{field}");
        assert_eq!(filter.asks_of_events().collect::<Vec<_>>(), [field]);
    }
}

#[test]
fn a_value_that_does_not_exist_is_refused_by_the_name_of_its_field() {
    assert_eq!(
        refused(&EventFilter {
            types: texts(&["OrganisationRegistered", "Nothing"]),
            ..Default::default()
        }),
        "filter.types[1]"
    );
    assert_eq!(
        refused(&EventFilter {
            contexts: texts(&["elsewhere"]),
            ..Default::default()
        }),
        "filter.contexts[0]"
    );
    assert_eq!(
        refused(&EventFilter {
            organisations: texts(&["310000018"]),
            ..Default::default()
        }),
        "filter.organisations[0]"
    );
    assert_eq!(
        refused(&EventFilter {
            kommunenummer: texts(&["1201"]),
            ..Default::default()
        }),
        "filter.kommunenummer[0]"
    );
    assert_eq!(
        refused(&EventFilter {
            kommunenummer: texts(&["æ"]),
            ..Default::default()
        }),
        "filter.kommunenummer[0]"
    );
    assert_eq!(
        refused(&EventFilter {
            classes: vec![9],
            ..Default::default()
        }),
        "filter.classes[0]"
    );
    assert_eq!(
        refused(&EventFilter {
            aggregate_types: texts(&["Club"]),
            ..Default::default()
        }),
        "filter.aggregate_types[0]"
    );
}
