//! The JSON of the registers' open interfaces, as far as we use it; every other field is read over.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, Visitor};
use serde_json::value::RawValue;

/// Text that stays in the input where it can; a number is taken for its digits.
#[derive(Debug, Clone)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

/// `enhet`, versions 1 and 2, and `SlettetEnhet`, which has the first few fields only.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the register's name")]
pub(super) struct Enhet<'a> {
    #[serde(borrow, rename = "respons_klasse")]
    pub(super) respons_klasse: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) organisasjonsnummer: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) navn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) organisasjonsform: Option<Coded<'a>>,
    #[serde(borrow)]
    pub(super) stiftelsesdato: Option<Text<'a>>,
    #[serde(borrow, alias = "registreringsdatoIEnhetsregisteret")]
    pub(super) registreringsdato_enhetsregisteret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) vedtektsfestet_formaal: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(super) vedtektsdato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) forretningsadresse: Option<Adresse<'a>>,
    #[serde(borrow)]
    pub(super) postadresse: Option<Adresse<'a>>,
    #[serde(borrow)]
    pub(super) hjemmeside: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) aktivitet: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub(super) antall_ansatte: Option<Text<'a>>,
    pub(super) har_registrert_antall_ansatte: Option<bool>,
    #[serde(borrow)]
    pub(super) historiske_navn: Option<Vec<HistoriskNavn<'a>>>,
    #[serde(borrow)]
    pub(super) overordnet_enhet: Option<Text<'a>>,
    #[serde(rename = "erIKonsern")]
    pub(super) er_i_konsern: Option<bool>,
    pub(super) registrert_i_foretaksregisteret: Option<bool>,
    #[serde(rename = "registrertIMvaregisteret")]
    pub(super) registrert_i_mvaregisteret: Option<bool>,
    pub(super) registrert_i_stiftelsesregisteret: Option<bool>,
    pub(super) registrert_i_partiregisteret: Option<bool>,
    #[serde(borrow)]
    pub(super) registreringsdato_foretaksregisteret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) registreringsdato_merverdiavgiftsregisteret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) registreringsdato_merverdiavgiftsregisteret_enhetsregisteret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) registreringsdato_partiregisteret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) naeringskode1: Option<Coded<'a>>,
    #[serde(borrow)]
    pub(super) naeringskode2: Option<Coded<'a>>,
    #[serde(borrow)]
    pub(super) naeringskode3: Option<Coded<'a>>,
    #[serde(borrow)]
    pub(super) institusjonell_sektorkode: Option<Coded<'a>>,
    #[serde(borrow)]
    pub(super) maalform: Option<Text<'a>>,
    pub(super) registrert_i_frivillighetsregisteret: Option<bool>,
    #[serde(borrow)]
    pub(super) registreringsdato_frivillighetsregisteret: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) siste_innsendte_aarsregnskap: Option<Text<'a>>,
    pub(super) under_avvikling: Option<bool>,
    #[serde(borrow)]
    pub(super) under_avvikling_dato: Option<Text<'a>>,
    pub(super) under_tvangsavvikling_eller_tvangsopplosning: Option<bool>,
    #[serde(borrow)]
    pub(super) tvangsavviklet_pga_manglende_sletting_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tvangsopplost_pga_manglende_daglig_leder_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tvangsopplost_pga_manglende_revisor_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tvangsopplost_pga_manglende_regnskap_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) tvangsopplost_pga_mangelfullt_styre_dato: Option<Text<'a>>,
    pub(super) konkurs: Option<bool>,
    #[serde(borrow)]
    pub(super) konkursdato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) slettedato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) paategninger: Option<Vec<Paategning<'a>>>,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Coded<'a> {
    #[serde(borrow)]
    pub(super) kode: Option<Text<'a>>,
}

/// An address; the names of municipality and Norwegian post office come from the code lists.
#[derive(Debug, serde::Deserialize)]
#[expect(clippy::struct_field_names, reason = "the register's name")]
pub(super) struct Adresse<'a> {
    #[serde(borrow)]
    pub(super) adresse: Option<Vec<Option<Text<'a>>>>,
    #[serde(borrow)]
    pub(super) poststed: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) land: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) kommunenummer: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) postnummer: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) landkode: Option<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoriskNavn<'a> {
    #[serde(borrow)]
    pub(super) navn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) fra_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) til_dato: Option<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paategning<'a> {
    #[serde(borrow)]
    pub(super) infotype: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) innfoert_dato: Option<Text<'a>>,
}

/// A record of Frivillighetsregisteret, entered or deleted.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FrivilligOrganisasjon<'a> {
    #[serde(borrow, rename = "respons_klasse")]
    pub(super) respons_klasse: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) organisasjonsnummer: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) frivillig_organisasjonsstatus: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) innfoert_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) foerste_gang_innfoert: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) slettet_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) grasrotandel: Option<Grasrotandel<'a>>,
    #[serde(borrow)]
    pub(super) regnskapsrapportering: Option<Regnskapsrapportering<'a>>,
    #[serde(borrow)]
    pub(super) vedtekter: Option<Vedtekter<'a>>,
    #[serde(borrow)]
    pub(super) icnpo_kategorier: Option<Vec<IcnpoKategori<'a>>>,
    #[serde(borrow)]
    pub(super) relasjoner: Option<Vec<Relasjon<'a>>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grasrotandel<'a> {
    #[serde(rename = "deltarI")]
    pub(super) deltar_i: Option<bool>,
    #[serde(borrow)]
    pub(super) utestengelsesperiode: Option<Periode<'a>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Periode<'a> {
    #[serde(borrow)]
    pub(super) fra_dato: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) til_dato: Option<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Regnskapsrapportering<'a> {
    pub(super) har_paatatt_seg_rapporteringsplikt: Option<bool>,
    #[serde(borrow)]
    pub(super) avslutningsdato_for_regnskapsperiode: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) sist_innsendte_aarsregnskap: Option<Aarsregnskap<'a>>,
}

#[derive(Debug, serde::Deserialize)]
pub(super) struct Aarsregnskap<'a> {
    #[serde(borrow)]
    pub(super) regnskapsaar: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) registreringsdato: Option<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Vedtekter<'a> {
    pub(super) frivillig_registrerte_vedtekter: Option<bool>,
    #[serde(borrow)]
    pub(super) sist_oppdaterte_vedtekter: Option<Text<'a>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IcnpoKategori<'a> {
    #[serde(borrow)]
    pub(super) icnpo_nummer: Option<Text<'a>>,
    pub(super) rekkefoelge: Option<u32>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the register's name")]
pub(super) struct Relasjon<'a> {
    #[serde(borrow)]
    pub(super) relasjonsrolle_fra: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) relasjonsrolle_til: Option<Text<'a>>,
    /// a number, or an object that holds one: the draft interface does not say
    #[serde(borrow)]
    pub(super) relasjon_til: Option<&'a RawValue>,
}

/// As much of an object as tells what it is.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sniff<'a> {
    #[serde(borrow, rename = "respons_klasse")]
    pub(super) respons_klasse: Option<Text<'a>>,
    pub(super) organisasjonsnummer: Option<IgnoredAny>,
    pub(super) frivillig_organisasjonsstatus: Option<IgnoredAny>,
    pub(super) innfoert_dato: Option<IgnoredAny>,
    pub(super) icnpo_kategorier: Option<IgnoredAny>,
    pub(super) rollegrupper: Option<IgnoredAny>,
    #[serde(borrow, rename = "_embedded")]
    pub(super) embedded: Option<Embedded<'a>>,
    #[serde(rename = "_links")]
    pub(super) links: Option<IgnoredAny>,
    pub(super) page: Option<IgnoredAny>,
}

/// The records of a page; each is parsed by itself, so that a bad one does not take the others with it.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Embedded<'a> {
    #[serde(borrow)]
    pub(super) enheter: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(super) frivillige_organisasjoner: Option<Vec<&'a RawValue>>,
}

/// Only the number of a record that could not be read otherwise.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Numbered<'a> {
    #[serde(borrow)]
    pub(super) organisasjonsnummer: Option<Text<'a>>,
}

// === impl Text ===

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
