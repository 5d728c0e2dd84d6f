//! What is looked for among the units, and in which order: the register's parameters as conditions on the view's rows.
//!
//! A parameter that the facts cannot answer is not here, and is thereby refused with its name.

use ryggrad_norway::{KommuneNumber, LegalForm, OrgNumber, PostalCode, Sector};
use sqlx::{Postgres, QueryBuilder};

use super::super::Params;
use super::words::Words;
use crate::municipality_directory::name_key;
use crate::register_units::THERE;

/// Parameters that take days: name, column and comparison.
const DAYS: [(&str, &str, &str); 12] = [
    ("fraRegistreringsdatoEnhetsregisteret", "registreringsdato", ">="),
    ("tilRegistreringsdatoEnhetsregisteret", "registreringsdato", "<="),
    ("fraRegistreringsdatoForetaksregisteret", "i_foretaksregisteret", ">="),
    ("tilRegistreringsdatoForetaksregisteret", "i_foretaksregisteret", "<="),
    (
        "fraRegistreringsdatoFrivillighetsregisteret",
        "i_frivillighetsregisteret",
        ">=",
    ),
    (
        "tilRegistreringsdatoFrivillighetsregisteret",
        "i_frivillighetsregisteret",
        "<=",
    ),
    ("fraRegistreringsdatoMerverdiavgiftsregisteret", "i_mvaregisteret", ">="),
    ("tilRegistreringsdatoMerverdiavgiftsregisteret", "i_mvaregisteret", "<="),
    ("fraRegistreringsdatoPartiregisteret", "i_partiregisteret", ">="),
    ("tilRegistreringsdatoPartiregisteret", "i_partiregisteret", "<="),
    ("fraStiftelsesdato", "stiftelsesdato", ">="),
    ("tilStiftelsesdato", "stiftelsesdato", "<="),
];
/// Parameters that take yes or no, and what is asked of the row.
const FLAGS: [(&str, &str); 8] = [
    (
        "registrertIFrivillighetsregisteret",
        "(fr is not distinct from 'there')",
    ),
    ("registrertIMvaregisteret", "('MVA' = any(registre))"),
    ("registrertIForetaksregisteret", "('FOR' = any(registre))"),
    ("registrertIStiftelsesregisteret", "('STI' = any(registre))"),
    ("registrertIPartiregisteret", "('PARTI' = any(registre))"),
    ("konkurs", "konkurs"),
    ("underAvvikling", "under_avvikling"),
    ("underTvangsavviklingEllerTvangsopplosning", "under_tvang"),
];
/// What can be sorted by beside the flags, and its column.
const COLUMNS: [(&str, &str); 15] = [
    (NAME, "name_key"),
    ("navn.norwegian", "name_key"),
    ("organisasjonsnummer", "orgnr"),
    ("overordnetEnhet", "overordnet"),
    ("organisasjonsform.kode", "form"),
    ("antallAnsatte", "ansatte_fra"),
    ("hjemmeside", "hjemmeside"),
    ("postadresse.kommunenummer", "post_kommunenummer"),
    ("forretningsadresse.kommunenummer", "kommunenummer"),
    ("registreringsdatoEnhetsregisteret", "registreringsdato"),
    ("stiftelsesdato", "stiftelsesdato"),
    ("naeringskode1.kode", "naeringskoder[1]"),
    ("naeringskode2.kode", "naeringskoder[2]"),
    ("naeringskode3.kode", "naeringskoder[3]"),
    ("institusjonellSektorkode.kode", "sektorkode"),
];
/// Municipalities to sort by as they are called, and their column.
const KOMMUNER: [(&str, &str); 2] = [
    ("postadresse.kommune", "post_kommunenummer"),
    ("forretningsadresse.kommune", "kommunenummer"),
];
/// What is sorted by when nothing is said.
const NAME: &str = "navn";
const OTHERS: [&str; 25] = [
    "navn",
    "navnMetodeForSoek",
    "organisasjonsnummer",
    "organisasjonsform",
    "kommunenummer",
    "forretningsadresse.kommunenummer",
    "forretningsadresse.postnummer",
    "forretningsadresse.poststed",
    "forretningsadresse.landkode",
    "forretningsadresse.adresse",
    "postadresse.kommunenummer",
    "postadresse.postnummer",
    "postadresse.poststed",
    "postadresse.landkode",
    "postadresse.adresse",
    "naeringskode",
    "institusjonellSektorkode",
    "overordnetEnhet",
    "hjemmeside",
    "sisteInnsendteAarsregnskap",
    "fraAntallAnsatte",
    "tilAntallAnsatte",
    "page",
    "size",
    "sort",
];

/// The names of all parameters.
pub(super) fn known() -> Vec<&'static str> {
    let days = DAYS.iter().map(|(name, ..)| *name);
    let flags = FLAGS.iter().map(|(name, _)| *name);
    OTHERS.into_iter().chain(days).chain(flags).collect()
}

/// What is looked for.
#[derive(Debug)]
pub(super) struct Filter {
    name: Words,
    /// Column, and values of which it has to be one.
    any_of: Vec<(&'static str, Vec<String>)>,
    /// Municipalities of which one address or the other has to be in one.
    kommuner: Vec<String>,
    /// Columns with the place and the postal code of an address, and the words of the place.
    places: Vec<(&'static str, &'static str, Words)>,
    /// Column with the lines of an address, and words of which one of them has to have all.
    lines: Vec<(&'static str, Vec<Words>)>,
    /// Beginnings of industrial codes.
    industries: Vec<String>,
    website: Option<String>,
    employees: (Option<i64>, Option<i64>),
    years: Vec<i64>,
    days: Vec<(&'static str, &'static str, String)>,
    flags: Vec<(&'static str, bool)>,
    order: Option<(Order, bool)>,
}

#[derive(Debug, Clone, Copy)]
enum Order {
    Column(&'static str),
    /// By the name of the municipality with the number in this column.
    Kommune(&'static str),
}

// === impl Filter ===

impl Filter {
    pub(super) fn parse(params: &mut Params) -> Self {
        Self {
            name: name(params),
            any_of: any_of(params),
            kommuner: params.list("kommunenummer", KOMMUNE, kommune),
            places: [
                ("forretningsadresse.poststed", "poststed", "postnummer"),
                ("postadresse.poststed", "post_poststed", "post_postnummer"),
            ]
            .into_iter()
            .filter_map(|(name, place, code)| Some((place, code, Words::each(&params.text(name)?))))
            .collect(),
            lines: [
                ("forretningsadresse.adresse", "adresse"),
                ("postadresse.adresse", "post_adresse"),
            ]
            .into_iter()
            .map(|(name, column)| (column, params.list(name, "", |text| Some(Words::each(text)))))
            .collect(),
            industries: params.list("naeringskode", "Næringskode er ugyldig", industry),
            website: params.text("hjemmeside").map(|text| text.to_lowercase()),
            employees: (
                employees(params, "fraAntallAnsatte", 1),
                employees(params, "tilAntallAnsatte", 4),
            ),
            years: params.list("sisteInnsendteAarsregnskap", "Årstall må ha 4 siffer", |text| {
                text.parse().ok().filter(|year| (1000..=9999).contains(year))
            }),
            days: DAYS
                .into_iter()
                .filter_map(|(name, column, compared)| Some((column, compared, params.date(name)?)))
                .collect(),
            flags: FLAGS
                .into_iter()
                .filter_map(|(name, asked)| Some((asked, params.flag(name)?)))
                .collect(),
            order: params.sort("sort", NAME, order),
        }
    }

    pub(super) fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" and er = ").push_bind(THERE);
        for pattern in self.name.patterns() {
            sql.push(" and (' ' || name_key) like ").push_bind(pattern);
        }
        for (column, values) in self.any_of.iter().filter(|(_, values)| !values.is_empty()) {
            sql.push(" and ").push(column).push(" = any(");
            sql.push_bind(values.clone()).push(")");
        }
        if !self.kommuner.is_empty() {
            sql.push(" and (kommunenummer = any(").push_bind(self.kommuner.clone());
            sql.push(") or post_kommunenummer = any(")
                .push_bind(self.kommuner.clone())
                .push("))");
        }
        self.push_addresses(sql);
        if !self.industries.is_empty() {
            sql.push(" and exists (select from unnest(naeringskoder) as code where code like any(")
                .push_bind(self.industries.clone())
                .push("))");
        }
        if let Some(website) = &self.website {
            sql.push(" and hjemmeside = ").push_bind(website.clone());
        }
        // Nobody has fewer than none: that asks for nothing, also where nothing is known.
        if let Some(least) = self.employees.0.filter(|least| *least > 0) {
            sql.push(" and ansatte_fra >= ").push_bind(least);
        }
        if let Some(most) = self.employees.1 {
            sql.push(" and ansatte_til <= ").push_bind(most);
        }
        if !self.years.is_empty() {
            sql.push(" and regnskapsaar = any(")
                .push_bind(self.years.clone())
                .push(")");
        }
        for (column, compared, day) in &self.days {
            sql.push(" and ").push(column).push(" ").push(compared).push(" ");
            sql.push_bind(day.clone());
        }
        for (asked, wanted) in &self.flags {
            sql.push(" and ").push(asked).push(" = ").push_bind(*wanted);
        }
    }

    fn push_addresses(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        for (place, code, words) in &self.places {
            // The facts name a place abroad; of one in Norway the postal code tells it.
            let codes: Vec<_> = PostalCode::all()
                .filter(|code| words.are_in(&name_key(code.place())))
                .map(PostalCode::code)
                .collect();
            sql.push(" and ((' ' || ").push(place).push(") like all(");
            sql.push_bind(words.patterns());
            sql.push(") or ").push(place).push(" is null and ").push(code);
            sql.push(" = any(").push_bind(codes).push("))");
        }
        for (column, lines) in self.lines.iter().filter(|(_, lines)| !lines.is_empty()) {
            sql.push(" and (false");
            for words in lines {
                sql.push(" or exists (select from unnest(")
                    .push(column)
                    .push(") as line where (' ' || line) like all(")
                    .push_bind(words.patterns())
                    .push("))");
            }
            sql.push(")");
        }
    }

    pub(super) fn order(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let (order, down) = self.order.unwrap_or((Order::Column("name_key"), false));
        sql.push(" order by ");
        match order {
            Order::Column(column) => _ = sql.push(column),
            Order::Kommune(column) => {
                let mut kommuner: Vec<_> = KommuneNumber::all().collect();
                kommuner.sort_by_cached_key(|kommune| name_key(kommune.name()));
                let codes: Vec<_> = kommuner.into_iter().map(KommuneNumber::code).collect();
                sql.push("array_position(").push_bind(codes).push(", ");
                sql.push(column).push(")");
            }
        }
        sql.push(if down {
            " desc nulls last, key"
        } else {
            " asc nulls last, key"
        });
    }
}

/// What is wrong with a municipality number.
const KOMMUNE: &str = "Kommunenummer er ugyldig";

fn kommune(text: &str) -> Option<String> {
    KommuneNumber::parse(text).ok().map(|kommune| kommune.code().to_owned())
}

fn any_of(params: &mut Params) -> Vec<(&'static str, Vec<String>)> {
    let postal = |text: &str| PostalCode::parse(text).ok().map(|code| code.code().to_owned());
    let orgnr = |text: &str| OrgNumber::parse_tolerant(text).ok().map(|number| number.to_string());
    let form = |text: &str| LegalForm::parse(text).ok().map(|form| form.code().to_owned());
    let sector = |text: &str| Sector::parse(text).ok().map(|sector| sector.code().to_owned());
    let country = |text: &str| {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_code.then(|| text.to_ascii_uppercase())
    };
    let mut any_of = Vec::new();
    macro_rules! take {
        ($($name:literal => $column:literal by $parse:expr, $what:expr;)*) => {
            $(any_of.push(($column, params.list($name, $what, $parse)));)*
        };
    }
    take! {
        "organisasjonsnummer" => "orgnr" by orgnr, "Organisasjonsnummer er ugyldig";
        "organisasjonsform" => "form" by form, "Organisasjonsform er ugyldig";
        "forretningsadresse.kommunenummer" => "kommunenummer" by kommune, KOMMUNE;
        "forretningsadresse.postnummer" => "postnummer" by postal, "Postnummer er ugyldig";
        "forretningsadresse.landkode" => "landkode" by country, "Landkode er ugyldig";
        "postadresse.kommunenummer" => "post_kommunenummer" by kommune, KOMMUNE;
        "postadresse.postnummer" => "post_postnummer" by postal, "Postnummer er ugyldig";
        "postadresse.landkode" => "post_landkode" by country, "Landkode er ugyldig";
        "institusjonellSektorkode" => "sektorkode" by sector, "Institusjonell sektorkode er ugyldig";
        "overordnetEnhet" => "overordnet" by orgnr, "Organisasjonsnummer er ugyldig";
    }
    any_of
}

/// Words of the name: each at the beginning of one, or all of them in a row.
fn name(params: &mut Params) -> Words {
    let in_a_row = params.value("navnMetodeForSoek", "Verdien må være FORTLOEPENDE", |method| {
        (method == "FORTLOEPENDE").then_some(())
    });
    let Some(name) = params.text("navn") else {
        return Words::default();
    };
    if name.chars().count() > 180 {
        params.fault("navn", &name, "Navn må være fra 1 til 180 tegn");
    }
    match in_a_row {
        Some(()) => Words::in_a_row(&name),
        None => Words::each(&name),
    }
}

/// A pattern for a code of any level: `93`, `93.1`, `93.12`, `93.120`.
fn industry(text: &str) -> Option<String> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (division, rest) = text.split_at_checked(2)?;
    let is_level = match rest.strip_prefix('.') {
        Some(class) => (1..=3).contains(&class.len()) && is_digits(class),
        None => rest.is_empty(),
    };
    (is_digits(division) && is_level).then(|| format!("{text}%"))
}

/// None, five or more, and the one bound between them that the register has too: of one to four it tells only that they are there.
fn employees(params: &mut Params, name: &str, bound: i64) -> Option<i64> {
    let what = format!("Verdien må være 0, {bound} eller større enn 4");
    params.value(name, &what, |text| {
        text.parse()
            .ok()
            .filter(|number| matches!(number, 0 | 5..) || *number == bound)
    })
}

fn order(property: &str) -> Option<Order> {
    let column = |list: &[(&str, &'static str)]| {
        let found = list.iter().find(|(name, _)| *name == property);
        found.map(|(_, column)| *column)
    };
    (column(&COLUMNS).or_else(|| column(&FLAGS)).map(Order::Column)).or_else(|| column(&KOMMUNER).map(Order::Kommune))
}
