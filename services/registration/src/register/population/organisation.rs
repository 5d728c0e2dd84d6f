//! One invented organisation: what is drawn about it, before it is written.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use ryggrad_norway::{Icnpo, KommuneNumber, Language, Maalform, OrgNumber, PostalCode};

use super::draw::Draw;
use super::names;
use super::places::Places;

/// The day the population is as of; ages count back from it.
const AS_OF: Date = date(2026, 10, 1);
/// The first day of Enhetsregisteret.
const FIRST: Date = date(1995, 2, 20);
/// Numbers of the fictional bank 9999, as the tests of the code lists have them.
const ACCOUNTS: [&str; 5] = [
    "99999461855",
    "99993854405",
    "99999186706",
    "99994795615",
    "99991521891",
];

#[derive(Debug)]
pub(super) struct Organisation {
    pub(super) orgnr: OrgNumber,
    pub(super) name: String,
    pub(super) form: &'static str,
    pub(super) categories: Vec<Icnpo>,
    pub(super) nace: &'static str,
    pub(super) kommune: KommuneNumber,
    pub(super) postal_code: Option<PostalCode>,
    pub(super) street: String,
    pub(super) language: Language,
    pub(super) founded_on: Date,
    pub(super) registered_on: Date,
    pub(super) entered_on: Date,
    pub(super) first_entered_on: Date,
    pub(super) bylaws_date: Option<Date>,
    pub(super) purpose: Option<String>,
    pub(super) winding_up_since: Option<Date>,
    pub(super) bankrupt_since: Option<Date>,
    pub(super) account: Option<&'static str>,
    pub(super) grasrot: bool,
    pub(super) excluded: Option<(Date, Date)>,
    pub(super) accounts_year: Option<i16>,
    pub(super) bylaws_registered: bool,
    pub(super) central: Option<OrgNumber>,
    pub(super) unsorted: bool,
}

impl Organisation {
    pub(super) fn draw(orgnr: OrgNumber, central: Option<OrgNumber>, draw: &mut Draw, places: &Places) -> Self {
        let (kommune, postal_code) = places.address(draw);
        let categories = places.categories(draw);
        let language = language(kommune, draw);
        let form = match draw.below(100) {
            0 => "AS",
            1..5 => "STI",
            _ => "FLI",
        };
        let entered_on = back(AS_OF, places.age(draw));
        let registered_on = registered_on(entered_on, draw);
        let founded_on = founded_on(registered_on, draw);
        let first_entered_on = if draw.chance(970) {
            entered_on
        } else {
            back(entered_on, draw.below(700)).max(registered_on)
        };
        let grasrot = draw.chance(if form == "FLI" { places.grasrot } else { 300 });
        let purpose = draw
            .chance(600)
            .then(|| names::purpose(categories[0], kommune, language));
        Self {
            orgnr,
            name: names::organisation(categories[0], form, language, draw),
            form,
            nace: names::nace(categories[0], draw),
            kommune,
            postal_code,
            street: format!("{}vegen {}", names::place(draw), 1 + draw.below(60)),
            language,
            founded_on,
            registered_on,
            entered_on,
            first_entered_on,
            bylaws_date: draw.chance(500).then(|| between(founded_on, AS_OF, draw)),
            purpose,
            winding_up_since: draw.chance(4).then(|| back(AS_OF, draw.below(200)).max(entered_on)),
            bankrupt_since: draw.chance(1).then(|| back(AS_OF, draw.below(300)).max(entered_on)),
            account: (grasrot || draw.chance(700)).then(|| *draw.pick(&ACCOUNTS)),
            grasrot,
            excluded: (grasrot && draw.chance(3)).then(|| excluded(draw)),
            accounts_year: draw.chance(80).then(|| if draw.chance(850) { 2025 } else { 2024 }),
            bylaws_registered: draw.chance(450),
            central: central.filter(|_| draw.chance(250)),
            unsorted: draw.chance(400),
            categories,
        }
    }
}

/// What the municipality has chosen; where it has not, nine of ten write Bokmål.
fn language(kommune: KommuneNumber, draw: &mut Draw) -> Language {
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
fn founded_on(registered_on: Date, draw: &mut Draw) -> Date {
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

fn back(day: Date, days: u32) -> Date {
    day.saturating_sub(i64::from(days).days())
}

fn between(from: Date, to: Date, draw: &mut Draw) -> Date {
    let days = from.until(to).map_or(0, |span| span.get_days());
    from.saturating_add(i64::from(draw.below(u32::try_from(days).unwrap_or_default() + 1)).days())
}
