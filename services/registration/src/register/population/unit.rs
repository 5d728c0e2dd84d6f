//! One invented unit of Enhetsregisteret: what is drawn about every unit, of whichever legal form.

use jiff::civil::{Date, date};
use ryggrad_norway::{Annotation, KommuneNumber, Language, LegalForm, OrgNumber, PostalCode, Sector};

use super::draw::Draw;
use super::lists::Form;
use super::names;
use super::organisation::{AS_OF, back, between, founded_on, language};
use super::places::Places;

/// Employees below this number are not told: the register shows only that there are some.
pub(super) const FEWEST_TOLD: u32 = 5;
/// The first day of Enhetsregisteret.
pub(super) const FIRST: Date = date(1995, 2, 20);

#[derive(Debug)]
pub(super) struct Unit {
    pub(super) orgnr: OrgNumber,
    pub(super) name: String,
    pub(super) form: LegalForm,
    pub(super) sector: Sector,
    pub(super) nace: Vec<&'static str>,
    pub(super) kommune: KommuneNumber,
    pub(super) postal_code: Option<PostalCode>,
    pub(super) lines: Vec<String>,
    pub(super) language: Language,
    pub(super) founded_on: Date,
    pub(super) registered_on: Date,
    pub(super) entered_on: Option<Date>,
    pub(super) accounts_year: Option<i16>,
    pub(super) activity: String,
    pub(super) more: More,
}

/// What units have or have not, each by its share.
#[derive(Debug)]
pub(super) struct More {
    pub(super) post_box: Option<(u32, PostalCode)>,
    pub(super) website: Option<String>,
    pub(super) email: Option<String>,
    pub(super) telephone: Option<String>,
    pub(super) mobile: Option<String>,
    /// none when none are registered; below [`FEWEST_TOLD`] not told
    pub(super) employees: Option<u32>,
    pub(super) bylaws_date: Option<Date>,
    pub(super) has_purpose: bool,
    pub(super) former_name: Option<(String, Date)>,
    pub(super) vat_since: Option<Date>,
    pub(super) business_since: Option<Date>,
    pub(super) party_since: Option<Date>,
    pub(super) winding_up_since: Option<Date>,
    pub(super) bankrupt_since: Option<Date>,
    pub(super) forced_since: Option<Date>,
    pub(super) annotation: Option<(Annotation, Date)>,
    pub(super) in_group: bool,
    pub(super) shares: Option<u32>,
}

/// What the shares of [`More`] depend on.
pub(super) struct Kind<'a> {
    pub(super) form: LegalForm,
    pub(super) nace: &'a str,
    pub(super) place: &'a str,
    pub(super) kommune: KommuneNumber,
    pub(super) since: Date,
    pub(super) employees: u32,
    pub(super) in_vat_register: u32,
    pub(super) in_business_register: u32,
}

// === impl Unit ===

impl Unit {
    /// A unit outside Frivillighetsregisteret.
    pub(super) fn draw_other(orgnr: OrgNumber, draw: &mut Draw, places: &Places) -> Self {
        let (kommune, postal_code) = places.address(draw);
        let form = places.forms.draw(draw);
        let language = language(kommune, draw);
        let registered_on = between(FIRST, AS_OF, draw);
        let mut codes = industries(form, draw);
        let is_association = matches!(form.legal.code(), "FLI" | "STI");
        let word = places.industries.word(codes[0]);
        if is_association && !draw.chance(places.fields.industry) {
            codes.clear();
        }
        let place = names::place(draw);
        let name = form.name.replace("{place}", &place).replace("{word}", word);
        let sector = if is_association && draw.below(1_000_000) < places.forms.non_profit {
            places.non_profit
        } else {
            *draw.pick(&form.sectors)
        };
        let lines = lines(draw, places, &place);
        let founded_on = founded_on(registered_on, draw);
        let accounts = if form.in_business_register == 1000 { 900 } else { 90 };
        let activity = codes
            .first()
            .map_or_else(|| word.to_owned(), |code| places.industries.name(code).to_owned());
        let kind = Kind {
            form: form.legal,
            nace: codes.first().copied().unwrap_or_default(),
            place: &place,
            kommune,
            since: registered_on,
            employees: form.employees,
            in_vat_register: form.in_vat_register,
            in_business_register: form.in_business_register,
        };
        Self {
            more: More::draw(&kind, draw, places),
            orgnr,
            name: name.to_uppercase(),
            form: form.legal,
            sector,
            nace: codes,
            kommune,
            postal_code,
            lines,
            language,
            founded_on,
            registered_on,
            entered_on: None,
            accounts_year: accounts_year(registered_on, accounts, draw),
            activity,
        }
    }
}

// === impl More ===

impl More {
    pub(super) fn draw(kind: &Kind<'_>, draw: &mut Draw, places: &Places) -> Self {
        let Kind {
            form,
            nace,
            place,
            kommune,
            since,
            employees,
            in_vat_register,
            in_business_register,
        } = *kind;
        let fields = &places.fields;
        let is_foundation = form.code() == "STI";
        let recently = |draw: &mut Draw, days: u32| back(AS_OF, draw.below(days)).max(since);
        // No domain ends so, and no telephone number begins with 0.
        let domain = format!("{}.example", ascii(place));
        Self {
            post_box: places
                .box_code(kommune, draw)
                .filter(|_| draw.chance(fields.postal_address))
                .map(|code| (1 + draw.below(900), code)),
            website: draw.chance(fields.website).then(|| format!("www.{domain}")),
            email: draw.chance(fields.email).then(|| format!("post@{domain}")),
            telephone: draw.chance(fields.telephone).then(|| {
                format!(
                    "00 {:02} {:02} {:02}",
                    draw.below(100),
                    draw.below(100),
                    draw.below(100)
                )
            }),
            mobile: draw
                .chance(fields.mobile)
                .then(|| format!("000 {:02} {:03}", draw.below(100), draw.below(1000))),
            employees: draw.chance(employees).then(|| number_of_employees(draw)),
            bylaws_date: (draw.chance(fields.bylaws_date) || is_foundation || is_company(form))
                .then(|| between(since, AS_OF, draw)),
            has_purpose: draw.chance(fields.purpose) || is_foundation || is_company(form),
            former_name: draw.chance(fields.former_names).then(|| {
                let name = format!("{} {}", names::place(draw), places.industries.word_or(nace, "lag"));
                (name.to_uppercase(), between(since, AS_OF, draw))
            }),
            vat_since: draw.chance(in_vat_register).then(|| between(since, AS_OF, draw)),
            business_since: draw.chance(in_business_register).then_some(since),
            party_since: (nace == "94.920" && draw.chance(100)).then(|| between(since, AS_OF, draw)),
            winding_up_since: draw.chance(4).then(|| recently(draw, 200)),
            bankrupt_since: draw.chance(1).then(|| recently(draw, 300)),
            forced_since: draw.chance(1).then(|| recently(draw, 300)),
            annotation: draw
                .chance(10)
                .then(|| (*draw.pick(&places.annotations), recently(draw, 2000))),
            in_group: is_company(form) && draw.chance(150),
            shares: is_company(form).then(|| 10 * (1 + draw.below(500))),
        }
    }
}

/// Whether units of a form have shares.
fn is_company(form: LegalForm) -> bool {
    matches!(form.code(), "AS" | "ASA" | "SE")
}

/// The lines of a business address: none, a street, or by way of a house, as the register has them.
pub(super) fn lines(draw: &mut Draw, places: &Places, place: &str) -> Vec<String> {
    let street = format!("{}vegen {}", names::place(draw), 1 + draw.below(60));
    if !draw.chance(places.fields.lines) {
        return Vec::new();
    }
    if draw.chance(120) {
        return vec![format!("c/o {place} samfunnshus"), street];
    }
    vec![street]
}

/// The year of the last accounts, if there are any.
pub(super) fn accounts_year(since: Date, per_mille: u32, draw: &mut Draw) -> Option<i16> {
    let year = if draw.chance(850) { 2025 } else { 2024 };
    (draw.chance(per_mille) && since.year() <= year).then_some(year)
}

/// One to three, the first the most important.
fn industries(form: &Form, draw: &mut Draw) -> Vec<&'static str> {
    let mut codes = vec![*draw.pick(&form.industries)];
    for per_mille in [80, 20] {
        let next = *draw.pick(&form.industries);
        if draw.chance(per_mille) && !codes.contains(&next) {
            codes.push(next);
        }
    }
    codes
}

/// Most who have any have few.
fn number_of_employees(draw: &mut Draw) -> u32 {
    match draw.below(100) {
        0..62 => 1 + draw.below(4),
        62..80 => 5 + draw.below(5),
        80..92 => 10 + draw.below(10),
        92..98 => 20 + draw.below(30),
        _ => 50 + draw.below(450),
    }
}

/// A place in a domain.
fn ascii(place: &str) -> String {
    let letters = place
        .to_lowercase()
        .replace('æ', "ae")
        .replace('ø', "o")
        .replace('å', "a");
    letters.chars().filter(char::is_ascii_alphanumeric).collect()
}
