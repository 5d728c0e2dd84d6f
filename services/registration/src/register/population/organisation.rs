//! One invented organisation: what is drawn about it, before it is written.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use ryggrad_norway::{Annotation, Icnpo, KommuneNumber, Kontonummer, Language, LegalForm, Maalform, OrgNumber};

use super::draw::Draw;
use super::lists::EMPLOYERS;
use super::names;
use super::places::Places;
use super::unit::{FIRST, Kind, More, Unit, accounts_year, lines};

/// The day the population is as of; ages count back from it.
pub(super) const AS_OF: Date = date(2026, 10, 1);
/// How many of 100 organisations of Frivillighetsregisteret have which legal form (handbook 14).
pub(super) const FORMS: [(&str, u32); 3] = [("AS", 1), ("STI", 4), ("FLI", 95)];
/// The bank that does not exist.
const BANK: u64 = 9999;

#[derive(Debug)]
pub(super) struct Organisation {
    pub(super) unit: Unit,
    pub(super) purpose: String,
    pub(super) categories: Vec<Icnpo>,
    pub(super) entered_on: Date,
    pub(super) first_entered_on: Date,
    pub(super) account: Option<String>,
    pub(super) grasrot: bool,
    pub(super) excluded: Option<(Date, Date)>,
    pub(super) bylaws_registered: bool,
    pub(super) bylaws_updated_on: Option<Date>,
    pub(super) annotation: Option<Annotation>,
    pub(super) central: Option<OrgNumber>,
    pub(super) unsorted: bool,
}

impl Organisation {
    pub(super) fn draw(orgnr: OrgNumber, central: Option<OrgNumber>, draw: &mut Draw, places: &Places) -> Self {
        let (kommune, postal_code) = places.address(draw);
        let categories = places.categories(draw);
        let language = language(kommune, draw);
        let form = legal_form(draw);
        let entered_on = back(AS_OF, places.age(draw));
        let registered_on = registered_on(entered_on, draw);
        let founded_on = founded_on(registered_on, draw);
        let first_entered_on = if draw.chance(970) {
            entered_on
        } else {
            back(entered_on, draw.below(700)).max(registered_on)
        };
        let grasrot = draw.chance(if form.code() == "FLI" { places.grasrot } else { 300 });
        let (name, place) = names::organisation(categories[0], form.code(), language, draw);
        let industry = places.industries.draw(categories[0], draw);
        let is_company = form.code() == "AS";
        let non_profit = if is_company {
            places.forms.non_profit_companies
        } else {
            places.forms.non_profit
        };
        let kind = Kind {
            form,
            nace: industry,
            place: &place,
            kommune,
            since: registered_on,
            employees: EMPLOYERS,
            in_vat_register: if is_company {
                1000
            } else {
                places.fields.in_vat_register
            },
            in_business_register: if is_company {
                1000
            } else {
                places.fields.in_business_register
            },
        };
        let more = More::draw(&kind, draw, places);
        let unit = Unit {
            lines: lines(draw, places, &place),
            sector: if draw.below(1_000_000) < non_profit {
                places.non_profit
            } else {
                places.business
            },
            accounts_year: accounts_year(registered_on, 80, draw),
            activity: names::activity(categories[0], language),
            more,
            orgnr,
            name,
            form,
            nace: vec![industry],
            kommune,
            postal_code,
            language,
            founded_on,
            registered_on,
            entered_on: Some(entered_on),
        };
        let bylaws_registered = draw.chance(450);
        Self {
            purpose: names::purpose(categories[0], kommune, language),
            account: (grasrot || draw.chance(700)).then(|| account(draw)),
            grasrot,
            excluded: (grasrot && draw.chance(3)).then(|| excluded(draw)),
            bylaws_registered,
            bylaws_updated_on: (bylaws_registered && draw.chance(600)).then(|| between(entered_on, AS_OF, draw)),
            annotation: unit
                .more
                .annotation
                .map(|(about, _)| about)
                .filter(|_| draw.chance(300)),
            central: central.filter(|_| draw.chance(250)),
            unsorted: draw.chance(400),
            unit,
            categories,
            entered_on,
            first_entered_on,
        }
    }
}

fn legal_form(draw: &mut Draw) -> LegalForm {
    let mut at = draw.below(100);
    let form = FORMS.iter().find(|(_, share)| {
        let is_it = at < *share;
        at = at.saturating_sub(*share);
        is_it
    });
    LegalForm::parse(form.map_or("FLI", |(form, _)| form)).expect("a legal form")
}

/// An account number of the bank that does not exist: the one in eleven whose check digit would be 10 is passed over.
fn account(draw: &mut Draw) -> String {
    loop {
        let ten = BANK * 1_000_000 + u64::from(draw.below(1_000_000));
        let number = (0..10).map(|digit| format!("{ten}{digit}"));
        if let Some(number) = number.into_iter().find(|number| Kontonummer::parse(number).is_ok()) {
            return number;
        }
    }
}

/// What the municipality has chosen; where it has not, nine of ten write Bokmål.
pub(super) fn language(kommune: KommuneNumber, draw: &mut Draw) -> Language {
    match kommune.maalform() {
        Maalform::Chosen(language) => language,
        Maalform::Neutral if draw.chance(900) => Language::Nb,
        Maalform::Neutral => Language::Nn,
    }
}

/// Half register with both registers at once; the others had their number for up to 12 years.
fn registered_on(entered_on: Date, draw: &mut Draw) -> Date {
    let earlier = if draw.chance(500) {
        draw.below(8)
    } else {
        draw.below(12 * 365)
    };
    back(entered_on, earlier).max(FIRST)
}

/// Most are registered in their first year; some were old when the register was new.
pub(super) fn founded_on(registered_on: Date, draw: &mut Draw) -> Date {
    let earlier = match draw.below(100) {
        0..55 => draw.below(365),
        55..80 => draw.below(15 * 365),
        80..95 => draw.below(60 * 365),
        _ => draw.below(140 * 365),
    };
    back(registered_on, earlier)
}

fn excluded(draw: &mut Draw) -> (Date, Date) {
    let from = back(AS_OF, draw.below(400));
    (from, from.saturating_add(365.days()))
}

pub(super) fn back(day: Date, days: u32) -> Date {
    day.saturating_sub(i64::from(days).days())
}

pub(super) fn between(from: Date, to: Date, draw: &mut Draw) -> Date {
    let days = from.until(to).map_or(0, |span| span.get_days());
    from.saturating_add(i64::from(draw.below(u32::try_from(days).unwrap_or_default() + 1)).days())
}
