//! What the two registers say about one organisation, checked and typed (handbook 9.3).

use jiff::civil::Date;
use ryggrad_norway::{
    Annotation, Icnpo, KommuneNumber, Language, LegalForm, Nace, OrgNumber, PostalCode, Sector, YearEnd,
};
use serde::Serialize;

/// One organisation as the registers have it. It holds nothing about a person, and no way to reach one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisterSnapshot {
    /// organisasjonsnummer
    pub orgnr: OrgNumber,
    /// navn
    pub name: String,
    /// organisasjonsform
    pub form: LegalForm,
    /// stiftelsesdato
    pub founded_on: Option<Date>,
    /// registreringsdatoEnhetsregisteret
    pub registered_on: Option<Date>,
    /// vedtektsfestetFormaal, line by line
    pub purpose: Vec<String>,
    /// vedtektsdato
    pub bylaws_date: Option<Date>,
    /// forretningsadresse
    pub address: Option<PostalAddress>,
    /// postadresse
    pub postal_address: Option<PostalAddress>,
    /// hjemmeside
    pub website: Option<String>,
    /// aktivitet, line by line
    pub activity: Vec<String>,
    /// harRegistrertAntallAnsatte
    pub has_employees: Option<bool>,
    /// antallAnsatte
    pub employees: Option<u32>,
    /// historiskeNavn
    pub former_names: Vec<FormerName>,
    /// overordnetEnhet
    pub parent: Option<OrgNumber>,
    /// erIKonsern
    pub in_group: bool,
    /// the registers beside Enhetsregisteret and Frivillighetsregisteret that it is in
    pub registers: Vec<OtherRegister>,
    /// the days it entered them, where the register tells
    pub register_days: Vec<(&'static str, Date)>,
    /// naeringskode1 to 3, in that order
    pub nace: Vec<Nace>,
    /// institusjonellSektorkode
    pub sector: Option<Sector>,
    /// maalform
    pub language: Option<Language>,
    /// registrertIFrivillighetsregisteret, as Enhetsregisteret says it
    pub in_voluntary_register: bool,
    /// registreringsdatoFrivillighetsregisteret
    pub voluntary_registered_on: Option<Date>,
    /// what Frivillighetsregisteret itself says, when it was read too
    pub voluntary: Option<VoluntaryRecord>,
    /// sisteInnsendteAarsregnskap: the year of the last accounts submitted
    pub last_accounts_year: Option<u16>,
    /// underAvvikling or underTvangsavviklingEllerTvangsopplosning
    pub under_winding_up: Option<WindingUp>,
    /// konkurs
    pub bankrupt: bool,
    /// konkursdato
    pub bankrupt_on: Option<Date>,
    /// slettedato
    pub deleted_on: Option<Date>,
    /// paategninger
    pub annotations: Vec<Annotated>,
}

/// A unit that the register removed on legal grounds: nothing else is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// organisasjonsnummer
    pub orgnr: OrgNumber,
    /// slettedato
    pub deleted_on: Option<Date>,
}

/// An address. One that goes by way of somebody (c/o, v/, att.) has no lines: they name a person, or tell where one lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostalAddress {
    /// adresse, line by line
    pub lines: Vec<String>,
    /// none abroad, and when the register has a number that is not current
    pub kommunenummer: Option<KommuneNumber>,
    /// none abroad
    pub postnummer: Option<PostalCode>,
    /// country, place and country's name, when it is abroad
    pub abroad: Option<Abroad>,
}

/// Where an address abroad is, in the register's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Abroad {
    /// landkode
    pub country: String,
    /// land
    pub country_name: String,
    /// poststed
    pub place: String,
}

/// A name that an organisation had before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FormerName {
    /// navn
    pub name: String,
    /// fraDato
    pub from: Option<Date>,
    /// tilDato
    pub to: Option<Date>,
}

/// A register beside Enhetsregisteret and Frivillighetsregisteret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum OtherRegister {
    /// Foretaksregisteret
    For,
    /// Merverdiavgiftsregisteret
    Mva,
    /// Stiftelsesregisteret
    Sti,
    /// Partiregisteret
    Parti,
}

/// An organisation's record in Frivillighetsregisteret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VoluntaryRecord {
    /// organisasjonsnummer
    pub orgnr: OrgNumber,
    /// innfoertDato
    pub entered_on: Option<Date>,
    /// foersteGangInnfoert
    pub first_entered_on: Option<Date>,
    /// whether it has left the register, on whatever day
    pub deleted: bool,
    /// slettetDato
    pub deleted_on: Option<Date>,
    /// icnpoKategorier: one to three categories by rank; none when the register has none that exists
    pub icnpo: Vec<Icnpo>,
    /// grasrotandel
    pub grasrot: Grasrot,
    /// regnskapsrapportering
    pub accounts: AccountsReporting,
    /// vedtekter.frivilligRegistrerteVedtekter
    pub bylaws_registered: bool,
    /// vedtekter.sistOppdaterteVedtekter
    pub bylaws_updated_on: Option<Date>,
    /// relasjoner
    pub relations: Vec<Relation>,
}

/// Part in Grasrotandelen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Grasrot {
    /// deltarI
    pub participates: bool,
    /// utestengelsesperiode
    pub exclusion: Option<Exclusion>,
}

/// A period in which an organisation is shut out of Grasrotandelen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// fraDato
    pub from: Date,
    /// tilDato; open when absent
    pub to: Option<Date>,
}

/// Accounts that an organisation has undertaken to submit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AccountsReporting {
    /// harPaatattSegRapporteringsplikt
    pub duty: bool,
    /// avslutningsdatoForRegnskapsperiode, as DDMM
    pub year_end: Option<YearEnd>,
    /// sistInnsendteAarsregnskap
    pub last_submitted: Option<SubmittedAccounts>,
}

/// The last accounts an organisation submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SubmittedAccounts {
    /// regnskapsaar
    pub year: u16,
    /// registreringsdato
    pub registered_on: Option<Date>,
}

/// A tie to another organisation, as to its central organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Relation {
    /// relasjonsrolleFra
    pub role_from: String,
    /// relasjonsrolleTil
    pub role_to: String,
    /// relasjonTil
    pub to: OrgNumber,
}

// === impl RegisterSnapshot ===

impl RegisterSnapshot {
    /// The municipality of the business address.
    pub fn kommunenummer(&self) -> Option<KommuneNumber> {
        self.address.as_ref()?.kommunenummer
    }

    /// The postal code of the business address.
    pub fn postnummer(&self) -> Option<PostalCode> {
        self.address.as_ref()?.postnummer
    }
}

// === impl OtherRegister ===

impl OtherRegister {
    /// Its code, as the contract writes it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::For => "FOR",
            Self::Mva => "MVA",
            Self::Sti => "STI",
            Self::Parti => "PARTI",
        }
    }
}

/// An organisation is being wound up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WindingUp {
    /// since when, where the register says so
    pub since: Option<Date>,
    /// by decision of a court or authority, and not of its own
    pub forced: bool,
}

/// An annotation by the register; its text is left where it is, since it may name persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Annotated {
    /// infotype
    pub about: Annotation,
    /// innfoertDato
    pub since: Option<Date>,
}
