//! Query parameters as the registers take them: strictly, all faults told at once.

use jiff::Timestamp;
use ryggrad_norway::Language;

use super::fault::{Fault, Refused};

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    faults: Vec<Fault>,
}

// === impl Params ===

impl Params {
    /// The parameters of a query, all of which must be known.
    pub(crate) fn parse(query: Option<&str>, known: &[&str]) -> Self {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
        let mut params = Self {
            pairs: Vec::with_capacity(pairs.len()),
            faults: Vec::new(),
        };
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                params.fault(&name, &value, "Parameteren støttes ikke");
            } else if value.contains('\0') {
                params.fault(&name, "", "Verdien inneholder et tegn som ikke kan forekomme");
            } else {
                params.pairs.push((name, value));
            }
        }
        params
    }

    /// Notes that a parameter is wrong.
    pub(crate) fn fault(&mut self, name: &str, value: &str, what: impl Into<String>) {
        self.faults.push(Fault {
            feilmelding: what.into(),
            parametere: vec![name.to_owned()],
            feilaktig_verdi: value.chars().take(100).collect(),
        });
    }

    /// A parameter that is given once, and not empty.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let mut given = self.pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value);
        let value = given.next()?.clone();
        if let Some(again) = given.next().cloned() {
            self.fault(name, &again, "Parameteren er oppgitt flere ganger");
        }
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A value of its own type; what is wrong with it is told in Norwegian.
    pub(crate) fn value<T>(&mut self, name: &str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(name, &text, what);
        }
        value
    }

    /// Values separated by commas, or in several parameters of that name.
    pub(crate) fn list<T>(&mut self, name: &str, what: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let given: Vec<String> = (self.pairs.iter())
            .filter(|(n, _)| n == name)
            .flat_map(|(_, value)| value.split(','))
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        let mut values = Vec::with_capacity(given.len());
        for text in given {
            match parse(&text) {
                Some(value) => values.push(value),
                None => self.fault(name, &text, what),
            }
        }
        values
    }

    /// Yes or no, in capitals or not: some clients write `False`.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name, "Verdien må være true eller false", |text| {
            text.to_ascii_lowercase().parse().ok()
        })
    }

    /// One of the languages of the code lists, and the register's word for it.
    pub(crate) fn language(&mut self, name: &str) -> Option<(&'static str, Language)> {
        self.value(name, "Verdien må være NOB eller NNO", |text| match text {
            "NOB" => Some(("NOB", Language::Nb)),
            "NNO" => Some(("NNO", Language::Nn)),
            _ => None,
        })
    }

    /// What is sorted by, and whether downwards: `property`, `property,ASC`, `property,DESC`, or a direction alone, which is
    /// of `usual`. A property is known when `column` knows it.
    pub(crate) fn sort<T>(
        &mut self,
        name: &str,
        usual: &str,
        column: impl FnOnce(&str) -> Option<T>,
    ) -> Option<(T, bool)> {
        let direction = |text: &str| match text.to_ascii_lowercase().as_str() {
            "asc" => Some(false),
            "desc" => Some(true),
            _ => None,
        };
        self.value(name, "Sortering støttes ikke", |text| match text.split_once(',') {
            Some((property, given)) => Some((column(property)?, direction(given)?)),
            None => match direction(text) {
                Some(down) => Some((column(usual)?, down)),
                None => Some((column(text)?, false)),
            },
        })
    }

    /// A day.
    pub(crate) fn date(&mut self, name: &str) -> Option<String> {
        self.value(name, "Verdien må være en dato, som 2026-01-31", |text| {
            ryggrad_norway::parse_date(text).ok().map(|date| date.to_string())
        })
    }

    /// A number within bounds.
    pub(crate) fn number(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let what = if most >= i64::MAX.unsigned_abs() {
            format!("Verdien må være et heltall fra og med {least}")
        } else {
            format!("Verdien må være et heltall fra {least} til {most}")
        };
        self.value(name, &what, |text| {
            text.parse().ok().filter(|number| (least..=most).contains(number))
        })
    }

    /// An instant with its offset. A day alone is none: which time of it is meant?
    pub(crate) fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let what = "Verdien må være et tidspunkt med dato, klokkeslett og sone, som 2026-01-31T00:00:00.000Z";
        self.value(name, what, |text| {
            // A plus sign that was not escaped arrives as a space.
            text.replace(' ', "+").parse().ok()
        })
    }

    /// The parameters of a link to the same list: those given, without `without`, and then `with`.
    pub(crate) fn link(&self, without: &[&str], with: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = self.pairs.iter().filter(|(name, _)| !without.contains(&name.as_str()));
        query.extend_pairs(kept).extend_pairs(with);
        query.finish()
    }

    /// An answer that refuses, when anything is wrong.
    pub(crate) fn check(&mut self) -> Result<(), Refused> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Refused::Parameters(std::mem::take(&mut self.faults)))
        }
    }
}
