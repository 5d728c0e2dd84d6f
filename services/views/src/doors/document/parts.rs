//! What several documents are made of.

use ryggrad_norway::{KommuneNumber, LegalForm, PostalCode, Sector};
use ryggrad_proto::registration::v1::Address;
use serde::{Serialize, Serializer};

/// A legal form, with the link that the register gives it everywhere.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Form<'a> {
    pub(super) kode: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) beskrivelse: Option<&'static str>,
    #[serde(rename = "_links")]
    pub(super) links: Links<'a>,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Coded<'a> {
    pub(super) kode: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) beskrivelse: Option<&'static str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the register's names")]
pub(super) struct Adresse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) land: Option<&'a str>,
    pub(super) landkode: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) postnummer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) poststed: Option<&'a str>,
    pub(super) adresse: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kommune: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kommunenummer: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FormerName<'a> {
    pub(super) navn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fra_dato: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) til_dato: Option<&'a str>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Paategning<'a> {
    pub(super) infotype: &'a str,
    /// Left in the register when it could name a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tekst: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) innfoert_dato: Option<&'a str>,
}

/// A year, which the register writes as a text.
#[derive(Debug, PartialEq)]
pub(super) struct Year(pub(super) u32);

/// `_links` with a link to the thing itself, and to the unit above when there is one.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Links<'a> {
    #[serde(rename = "self")]
    pub(super) own: Link<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) overordnet_enhet: Option<Link<'a>>,
}

/// A link to something of Enhetsregisteret, on the host that the client asked.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Link<'a> {
    href: Href<'a>,
}

#[derive(Debug, PartialEq)]
struct Href<'a> {
    host: &'a str,
    list: &'static str,
    id: &'a str,
}

pub(super) fn address(address: &Address) -> Adresse<'_> {
    let is_norwegian = matches!(address.landkode.as_str(), "" | "NO");
    let kommune = KommuneNumber::parse(&address.kommunenummer).ok();
    let postal = PostalCode::parse(&address.postnummer).ok();
    Adresse {
        land: text(&address.land).or_else(|| is_norwegian.then_some("Norge")),
        landkode: if is_norwegian { "NO" } else { &address.landkode },
        postnummer: text(&address.postnummer),
        poststed: text(&address.poststed).or_else(|| postal.filter(|_| is_norwegian).map(PostalCode::place)),
        adresse: &address.adresse,
        kommune: kommune.map(|kommune| kommune.name().to_uppercase()),
        kommunenummer: text(&address.kommunenummer),
    }
}

pub(super) fn sector(kode: &str) -> Coded<'_> {
    Coded {
        kode,
        beskrivelse: Sector::parse(kode).ok().map(Sector::name),
    }
}

pub(super) fn text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

// === impl Form ===

impl<'a> Form<'a> {
    /// The form of a code, with what the list calls it.
    pub(crate) fn new(kode: &'a str, host: &'a str) -> Self {
        Self {
            kode,
            beskrivelse: LegalForm::parse(kode).ok().map(LegalForm::name),
            links: Links {
                own: Link {
                    href: Href {
                        host,
                        list: "organisasjonsformer",
                        id: kode,
                    },
                },
                overordnet_enhet: None,
            },
        }
    }
}

// === impl Link ===

impl<'a> Link<'a> {
    /// A link to a unit.
    pub(crate) fn enhet(host: &'a str, orgnr: &'a str) -> Self {
        Self {
            href: Href {
                host,
                list: "enheter",
                id: orgnr,
            },
        }
    }
}

// === impl Href ===

impl Serialize for Href<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { host, list, id } = self;
        serializer.collect_str(&format_args!("{host}/enhetsregisteret/api/{list}/{id}"))
    }
}

// === impl Year ===

impl Serialize for Year {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
