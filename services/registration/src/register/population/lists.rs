//! The lists of `data/` and of the code lists, as tables to draw from: fields, legal forms and industries.

use std::collections::HashMap;

use ryggrad_norway::{Icnpo, LegalForm, Sector, simulation};

use super::draw::Draw;

const FIELDS: &str = include_str!("../../../data/enhet_fli_fields.csv");
const FORMS: &str = include_str!("../../../data/legal_forms.csv");
const INDUSTRIES: &str = include_str!("../../../data/naeringskoder.csv");

/// How often a unit has a field, per mille, as observed of associations.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) lines: u32,
    pub(super) postal_address: u32,
    pub(super) website: u32,
    pub(super) email: u32,
    pub(super) telephone: u32,
    pub(super) mobile: u32,
    pub(super) former_names: u32,
    pub(super) bylaws_date: u32,
    pub(super) purpose: u32,
    pub(super) industry: u32,
    pub(super) in_vat_register: u32,
    pub(super) in_business_register: u32,
}

/// Legal forms of the units outside Frivillighetsregisteret.
#[derive(Debug)]
pub(super) struct Forms {
    pub(super) rows: Vec<Form>,
    sums: Vec<u32>,
    /// per million of associations and foundations that are of sector 7000
    pub(super) non_profit: u32,
    /// per million of the limited companies of Frivillighetsregisteret that are
    pub(super) non_profit_companies: u32,
}

/// A legal form, and what units of it are like.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) legal: LegalForm,
    pub(super) sectors: Vec<Sector>,
    pub(super) industries: Vec<&'static str>,
    /// its name, with `{place}` and `{word}`
    pub(super) name: &'static str,
    pub(super) employees: u32,
    pub(super) in_vat_register: u32,
    pub(super) in_business_register: u32,
}

/// Industries by category, so that the shares of the stock come out.
#[derive(Debug)]
pub(super) struct Industries {
    names: HashMap<&'static str, (&'static str, &'static str)>,
    by_category: HashMap<&'static str, (Vec<&'static str>, Vec<u32>)>,
}

/// The industry of those that have no other.
const OTHERS: &str = "94.992";

/// Industries that categories have beside those of which the number is known, per mille before they are scaled so that
/// [`OTHERS`] has its known number too (own estimate).
const OWN: &[(&str, &[(&str, u32)])] = &[
    (
        "1100",
        &[
            ("90.202", 200),
            ("91.300", 120),
            ("90.120", 60),
            ("90.130", 40),
            ("85.521", 30),
        ],
    ),
    ("2100", &[("85.597", 600), ("85.593", 400)]),
    ("2200", &[("85.597", 1000)]),
    ("2300", &[("85.593", 1000)]),
    ("2400", &[("94.120", 300)]),
    ("3100", &[("86.101", 500)]),
    ("3200", &[("88.994", 500)]),
    ("3300", &[("88.994", 500)]),
    ("3400", &[("88.994", 300)]),
    ("4100", &[("88.994", 700), ("88.991", 100)]),
    ("4200", &[("88.994", 800)]),
    ("4300", &[("94.991", 800)]),
    ("5100", &[("91.300", 100)]),
    ("5200", &[("94.991", 50)]),
    ("6300", &[("88.993", 1000)]),
    ("7300", &[("94.920", 1000)]),
    ("8100", &[("94.991", 1000)]),
    ("9100", &[("94.991", 100)]),
    ("11100", &[("94.110", 1000)]),
    ("11200", &[("94.120", 1000)]),
    ("11300", &[("94.200", 1000)]),
];

// === impl Fields ===

impl Fields {
    pub(super) fn read() -> Self {
        let seen: HashMap<&str, u32> = rows(FIELDS)
            .filter_map(|row| Some((row[0], row[1].parse().ok()?)))
            .collect();
        let of = |field: &str, all: &str| {
            let count = |field: &str| *seen.get(field).expect("a field of the list");
            count(field) * 1000 / count(all)
        };
        let share = |field: &str| of(field, "organisasjonsnummer");
        Self {
            lines: of("forretningsadresse.adresse[]", "forretningsadresse.kommune"),
            postal_address: share("postadresse.postnummer"),
            website: share("hjemmeside"),
            email: share("epostadresse"),
            telephone: share("telefon"),
            mobile: share("mobil"),
            former_names: share("historiskeNavn[].navn"),
            bylaws_date: share("vedtektsdato"),
            purpose: share("vedtektsfestetFormaal[]"),
            industry: share("naeringskode1.kode"),
            in_vat_register: share("registreringsdatoMerverdiavgiftsregisteret"),
            in_business_register: share("registreringsdatoForetaksregisteret"),
        }
    }
}

// === impl Forms ===

impl Forms {
    /// `in_register` is how many of 100 organisations of Frivillighetsregisteret have which form.
    pub(super) fn read(in_register: &[(&str, u32)]) -> Self {
        let all = known("orgs_in_enhetsregisteret");
        let entered = known("orgs_in_frivillighetsregisteret");
        let outside = |form: &str, units: f64| {
            let share = in_register.iter().find(|(of, _)| *of == form);
            (units - entered * f64::from(share.map_or(0, |(_, share)| *share)) / 100.0).max(0.0)
        };
        let (fli, sti) = (known("fli_units"), known("sti_units"));
        let mut units = vec![outside("FLI", fli), outside("STI", sti)];
        let mut forms = vec![
            Form::idealistic(
                "FLI",
                "{place} {word}",
                "94.992;94.991;93.120;88.911;94.110;94.120;94.200;94.910;68.320",
            ),
            Form::idealistic("STI", "Stiftelsen {place} {word}", "94.991;88.994;88.911;91.300;68.200"),
        ];
        let left = all - entered - units.iter().sum::<f64>();
        let estimates: f64 = rows(FORMS).map(|row| number(row[1])).sum();
        for row in rows(FORMS) {
            units.push(number(row[1]) / estimates * left);
            forms.push(Form::parse(&row));
        }
        let companies = known("as_sa_sector_7000");
        let companies_in_register = entered
            * in_register
                .iter()
                .find(|(of, _)| *of == "AS")
                .map_or(0.0, |(_, share)| f64::from(*share))
            / 100.0;
        Self {
            rows: forms,
            sums: sums(units.into_iter().map(whole)),
            non_profit: whole((known("sector_7000_units") - companies) / (fli + sti) * 1_000_000.0),
            non_profit_companies: whole(companies / companies_in_register * 1_000_000.0),
        }
    }

    pub(super) fn draw(&self, draw: &mut Draw) -> &Form {
        &self.rows[draw.weighted(&self.sums)]
    }

    /// The share of units outside Frivillighetsregisteret that have a form.
    #[cfg(test)]
    pub(super) fn share(&self, form: &str) -> f64 {
        let at = self
            .rows
            .iter()
            .position(|row| row.legal.code() == form)
            .expect("a form of the list");
        let before = if at == 0 { 0 } else { self.sums[at - 1] };
        f64::from(self.sums[at] - before) / f64::from(*self.sums.last().expect("forms"))
    }
}

// === impl Form ===

impl Form {
    fn parse(row: &[&'static str]) -> Self {
        let per_mille = |at: usize| row[at].parse().expect("a number of the list");
        Self {
            legal: LegalForm::parse(row[0]).expect("a legal form"),
            sectors: row[2]
                .split(';')
                .map(|code| Sector::parse(code).expect("a sector"))
                .collect(),
            industries: row[3].split(';').collect(),
            name: row[4],
            employees: per_mille(5),
            in_vat_register: per_mille(6),
            in_business_register: per_mille(7),
        }
    }

    /// Associations and foundations: how many there are is known, and what they are like is observed.
    fn idealistic(form: &str, name: &'static str, industries: &'static str) -> Self {
        let fields = Fields::read();
        Self {
            legal: LegalForm::parse(form).expect("a legal form"),
            sectors: ["2100", "2500", "2300"]
                .map(|code| Sector::parse(code).expect("a sector"))
                .into(),
            industries: industries.split(';').collect(),
            name,
            employees: EMPLOYERS,
            in_vat_register: fields.in_vat_register,
            in_business_register: fields.in_business_register,
        }
    }
}

/// Associations and foundations with employees, per mille (own estimate).
pub(super) const EMPLOYERS: u32 = 60;

// === impl Industries ===

impl Industries {
    pub(super) fn read(leaves: &[Icnpo]) -> Self {
        let counts = simulation::numbers("nace_94.992/93.120/90.201/94.910");
        let &[others, sports, music, religion] = counts.as_slice() else {
            panic!("four numbers of the list")
        };
        let all = known("orgs_in_frivillighetsregisteret");
        let total: f64 = leaves.iter().map(|leaf| leaf.simulation_weight()).sum();
        let members = |category: &str| {
            let leaf = leaves.iter().find(|leaf| leaf.code() == category);
            leaf.map_or(0.0, |leaf| leaf.simulation_weight()) / total * all
        };
        // What is known of a category: other sports are those of the category that are no sports clubs, and then recreation.
        let no_clubs = members("1200") - sports;
        let known_of = |category: &str| -> Vec<(&'static str, f64)> {
            match category {
                "1100" => vec![("90.201", music)],
                "1200" => vec![("93.120", sports), ("93.190", no_clubs)],
                "1300" => vec![("93.190", (known("sports_93.1") - sports - no_clubs).max(0.0))],
                "10100" => vec![("94.910", religion)],
                _ => Vec::new(),
            }
        };
        let own = |category: &str| {
            OWN.iter()
                .find(|(of, _)| *of == category)
                .map_or(&[][..], |(_, own)| *own)
        };
        let free = all
            - leaves
                .iter()
                .flat_map(|leaf| known_of(leaf.code()))
                .map(|(_, count)| count)
                .sum::<f64>();
        let wanted: f64 = leaves
            .iter()
            .flat_map(|leaf| {
                own(leaf.code())
                    .iter()
                    .map(|(_, share)| members(leaf.code()) * f64::from(*share) / 1000.0)
            })
            .sum();
        let scale = ((free - others) / wanted).clamp(0.0, 1.0);
        let by_category = leaves.iter().map(|leaf| {
            let members = members(leaf.code());
            let mut weights = known_of(leaf.code());
            let scaled = own(leaf.code()).iter();
            weights.extend(scaled.map(|(code, share)| (*code, members * f64::from(*share) / 1000.0 * scale)));
            let rest = members - weights.iter().map(|(_, weight)| weight).sum::<f64>();
            weights.push((OTHERS, rest.max(0.0)));
            let (codes, weights): (Vec<_>, Vec<_>) = weights.into_iter().unzip();
            (
                leaf.code(),
                (codes, sums(weights.into_iter().map(|weight| whole(weight * 1000.0)))),
            )
        });
        Self {
            names: rows(INDUSTRIES).map(|row| (row[0], (row[1], row[2]))).collect(),
            by_category: by_category.collect(),
        }
    }

    /// The industry code that goes with a category.
    pub(super) fn draw(&self, category: Icnpo, draw: &mut Draw) -> &'static str {
        let (codes, sums) = &self.by_category[category.code()];
        codes[draw.weighted(sums)]
    }

    /// The register's words for an industry code.
    pub(super) fn name(&self, code: &str) -> &'static str {
        self.names[code].0
    }

    /// The same, or another word where there is no industry.
    pub(super) fn word_or(&self, code: &str, other: &'static str) -> &'static str {
        self.names.get(code).map_or(other, |(_, word)| word)
    }

    /// What those in an industry call themselves.
    pub(super) fn word(&self, code: &str) -> &'static str {
        self.names[code].1
    }
}

/// A number of `sim_parameters.csv`.
pub(super) fn known(parameter: &str) -> f64 {
    *simulation::numbers(parameter).first().expect("a number of the list")
}

pub(super) fn sums(weights: impl Iterator<Item = u32>) -> Vec<u32> {
    weights
        .scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers of the lists are small and positive"
)]
pub(super) fn whole(number: f64) -> u32 {
    number.round() as u32
}

fn number(text: &str) -> f64 {
    text.parse().expect("a number of the list")
}

/// The rows of a list without its head; a cell in quotes may hold commas.
fn rows(list: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    list.lines().skip(1).map(|line| {
        let mut quoted = false;
        let cells = line.split(move |char: char| {
            quoted ^= char == '"';
            char == ',' && !quoted
        });
        cells.map(|cell| cell.trim_matches('"')).collect()
    })
}
