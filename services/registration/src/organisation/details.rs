//! Master data field by field: what differs, and how a difference is taken in.

mod check;

use ryggrad_proto::registration::v1::OrganisationDetails;

pub(super) use check::{field, registers, whole};

/// The fields of master data that differ, with their new and old values.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) changed: OrganisationDetails,
    pub(super) previous: OrganisationDetails,
    pub(super) fields: Vec<String>,
}

macro_rules! fields {
    ($($field:ident),* $(,)?) => {
        /// Names of all fields of master data.
        #[cfg(test)]
        const FIELDS: &[&str] = &[$(stringify!($field)),*];

        /// What differs between two, among the fields that `counts` says count; it sees the name and whether the new value is empty.
        pub(super) fn difference(old: &OrganisationDetails, new: &OrganisationDetails, counts: impl Fn(&str, bool) -> bool) -> Difference {
            let nothing = OrganisationDetails::default();
            let mut found = Difference::default();
            $(
                if old.$field != new.$field && counts(stringify!($field), new.$field == nothing.$field) {
                    found.changed.$field.clone_from(&new.$field);
                    found.previous.$field.clone_from(&old.$field);
                    found.fields.push(stringify!($field).to_owned());
                }
            )*
            found
        }

        /// Takes the named fields into master data.
        pub(super) fn apply(details: &mut OrganisationDetails, changed: &OrganisationDetails, fields: &[String]) {
            for field in fields {
                match field.as_str() {
                    $(stringify!($field) => details.$field.clone_from(&changed.$field),)*
                    // A field of a later version, which this one does not keep.
                    _ => {}
                }
            }
        }
    };
}

fields!(
    name,
    form,
    purpose,
    forretningsadresse,
    postadresse,
    hjemmeside,
    language,
    naeringskoder,
    sektorkode,
    stiftelsesdato,
    registers,
    antall_ansatte,
    overordnet_enhet,
    aktivitet,
    annotations,
    under_tvangsavvikling,
    har_registrert_antall_ansatte,
    registreringsdatoer,
    er_i_konsern,
    historiske_navn,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_contract_is_compared() {
        let message = ryggrad_proto::pool()
            .get_message_by_name("ryggrad.registration.v1.OrganisationDetails")
            .expect("a message");
        let names: Vec<_> = message.fields().map(|field| field.name().to_owned()).collect();
        assert_eq!(names, FIELDS);
    }

    #[test]
    fn a_difference_applied_to_the_old_gives_the_new() {
        let old = OrganisationDetails {
            name: "A".into(),
            hjemmeside: "a.example".into(),
            ..Default::default()
        };
        let new = OrganisationDetails {
            name: "B".into(),
            antall_ansatte: Some(2),
            ..Default::default()
        };
        let found = difference(&old, &new, |_, _| true);
        assert_eq!(found.fields, ["name", "hjemmeside", "antall_ansatte"]);
        let mut details = old;
        apply(&mut details, &found.changed, &found.fields);
        assert_eq!(details, new);
    }
}
