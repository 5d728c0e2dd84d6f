//! Which events a subscriber wants: values of one field are alternatives, fields are all required. Only the envelope is
//! looked at, never the payload.

use std::collections::HashSet;

use ryggrad_norway::{CountyNumber, KommuneNumber, OrgNumber};
use ryggrad_proto::events::v1::EventFilter;
use ryggrad_proto::options::v1::PrivacyClass;
use uuid::Uuid;

use crate::bounds::Within;
use crate::key::Key;
use crate::vocabulary::Vocabulary;

/// How many values one field takes at the most.
const VALUES: usize = 10_000;

/// A filter whose values were all checked. A set that was not given lets everything pass.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    types: Option<HashSet<u16>>,
    contexts: Option<HashSet<u16>>,
    aggregates: Option<HashSet<u16>>,
    classes: Option<HashSet<u8>>,
    places: Option<Places>,
    organisations: Option<Organisations>,
}

/// Municipalities, and counties whose municipalities all pass.
#[derive(Debug, Clone, Default)]
struct Places {
    kommuner: HashSet<u16>,
    counties: HashSet<u16>,
}

/// Organisations, some of them known by their number only.
#[derive(Debug, Clone, Default)]
struct Organisations {
    ids: HashSet<Uuid>,
    numbers: HashSet<u32>,
}

/// A value of a filter that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    /// Field of the request: `filter.types[0]`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

// === impl Filter ===

impl Filter {
    /// Checks every value of a filter.
    pub fn parse(asked: Option<&EventFilter>) -> Result<Self, Invalid> {
        let Some(asked) = asked else { return Ok(Self::default()) };
        let words = Vocabulary::get();
        let types = each("types", &asked.types, |name| match Vocabulary::event_types(name) {
            found if found.is_empty() => Err(format!("there is no event type {name:?}")),
            found => Ok(found),
        })?;
        Ok(Self {
            types: set(types.into_iter().flatten()),
            contexts: set(each("contexts", &asked.contexts, |name| {
                words
                    .context(name)
                    .ok_or_else(|| format!("there is no context {name:?}"))
            })?),
            aggregates: set(each("aggregate_types", &asked.aggregate_types, |name| {
                words
                    .aggregate(name)
                    .ok_or_else(|| format!("there is no aggregate type {name:?}"))
            })?),
            classes: set(each("classes", &asked.classes, |class| {
                match PrivacyClass::try_from(*class) {
                    Ok(PrivacyClass::Unspecified) | Err(_) => Err(format!("there is no privacy class {class}")),
                    Ok(class) => Ok(u8::try_from(class as i32).unwrap_or_default()),
                }
            })?),
            places: Places::parse(&asked.kommunenummer)?,
            organisations: Organisations::parse(&asked.organisations)?,
        })
    }

    /// Whether every event passes.
    pub fn is_everything(&self) -> bool {
        let Self {
            types,
            contexts,
            aggregates,
            classes,
            places,
            organisations,
        } = self;
        types.is_none()
            && contexts.is_none()
            && aggregates.is_none()
            && classes.is_none()
            && places.is_none()
            && organisations.is_none()
    }

    /// Whether an event passes.
    pub fn passes(&self, key: &Key) -> bool {
        has(self.types.as_ref(), &key.event_type)
            && has(self.contexts.as_ref(), &key.context)
            && has(self.aggregates.as_ref(), &key.aggregate)
            && has(self.classes.as_ref(), &key.class)
            && self.places.as_ref().is_none_or(|places| places.have(key.kommune))
            && self
                .organisations
                .as_ref()
                .is_none_or(|organisations| organisations.have(key))
    }

    /// The fields that hold an event back, by their names in the contract; none when it passes.
    pub fn held_back_by(&self, key: &Key) -> Vec<&'static str> {
        let places = self.places.as_ref();
        let organisations = self.organisations.as_ref();
        let fields = [
            ("types", has(self.types.as_ref(), &key.event_type)),
            ("contexts", has(self.contexts.as_ref(), &key.context)),
            (
                "organisations",
                organisations.is_none_or(|organisations| organisations.have(key)),
            ),
            ("kommunenummer", places.is_none_or(|places| places.have(key.kommune))),
            ("classes", has(self.classes.as_ref(), &key.class)),
            ("aggregate_types", has(self.aggregates.as_ref(), &key.aggregate)),
        ];
        let held = fields.into_iter().filter(|(_, passes)| !passes);
        held.map(|(field, _)| field).collect()
    }

    /// The fields that only events have, by their names in the contract: a row of a view has neither a type nor a class.
    pub fn asks_of_events(&self) -> impl Iterator<Item = &'static str> {
        let fields = [
            ("types", self.types.is_some()),
            ("contexts", self.contexts.is_some()),
            ("classes", self.classes.is_some()),
            ("aggregate_types", self.aggregates.is_some()),
        ];
        fields.into_iter().filter(|(_, asked)| *asked).map(|(field, _)| field)
    }

    /// Whether rows of a view about an organisation pass. None do when the filter asks for what only events have.
    pub fn passes_rows(&self, about: &Key) -> bool {
        self.asks_of_events().next().is_none() && self.passes(about)
    }

    /// The sets that a row of a view must be in to pass; none when no row does.
    pub(crate) fn rows(&self) -> Option<Vec<Within>> {
        if self.asks_of_events().next().is_some() {
            return None;
        }
        let organisations = self.organisations.as_ref().map(Organisations::within);
        let places = self.places.as_ref().map(Places::within);
        Some(organisations.into_iter().chain(places).collect())
    }

    /// The organisation numbers whose organisation is not known yet.
    pub fn numbers(&self) -> Vec<u32> {
        self.organisations
            .iter()
            .flat_map(|organisations| organisations.numbers.iter().copied())
            .collect()
    }

    /// Adds organisations that one of the [`numbers`](Self::numbers) belongs to.
    pub fn learn(&mut self, ids: impl IntoIterator<Item = Uuid>) {
        if let Some(organisations) = &mut self.organisations {
            organisations.ids.extend(ids);
        }
    }
}

// === impl Places ===

impl Places {
    fn parse(asked: &[String]) -> Result<Option<Self>, Invalid> {
        let mut places = Self::default();
        each("kommunenummer", asked, |number| {
            let county = number.len() == 2;
            if county {
                CountyNumber::parse(number).map_err(|error| error.to_string())?;
            } else {
                KommuneNumber::parse(number).map_err(|error| error.to_string())?;
            }
            let value = number.parse::<u16>().map_err(|error| error.to_string())?;
            if county {
                places.counties.insert(value)
            } else {
                places.kommuner.insert(value)
            };
            Ok(())
        })?;
        Ok((!asked.is_empty()).then_some(places))
    }

    fn within(&self) -> Within {
        Within::Places {
            kommuner: self.kommuner.iter().map(|kommune| format!("{kommune:04}")).collect(),
            counties: self.counties.iter().map(|county| format!("{county:02}")).collect(),
        }
    }

    fn have(&self, kommune: u16) -> bool {
        kommune != 0 && (self.kommuner.contains(&kommune) || self.counties.contains(&(kommune / 100)))
    }
}

// === impl Organisations ===

impl Organisations {
    fn parse(asked: &[String]) -> Result<Option<Self>, Invalid> {
        let mut organisations = Self::default();
        each("organisations", asked, |text| {
            if let Ok(id) = Uuid::try_parse(text) {
                organisations.ids.insert(id);
                return Ok(());
            }
            let number = OrgNumber::parse_tolerant(text)
                .map_err(|error| format!("neither a UUID nor an organisation number: {error}"))?;
            organisations.numbers.insert(number.to_u32());
            Ok(())
        })?;
        Ok((!asked.is_empty()).then_some(organisations))
    }

    fn within(&self) -> Within {
        Within::Organisations {
            orgnr: self.numbers.iter().map(|number| format!("{number:09}")).collect(),
            ids: self.ids.iter().copied().collect(),
        }
    }

    fn have(&self, key: &Key) -> bool {
        self.ids.contains(&key.organisation)
            || (key.orgnr != 0 && self.numbers.contains(&key.orgnr))
            || key.related.iter().any(|id| self.ids.contains(id))
    }
}

/// Reads every value of a field, and names the one that cannot be read.
fn each<V, T>(field: &str, values: &[V], mut read: impl FnMut(&V) -> Result<T, String>) -> Result<Vec<T>, Invalid> {
    if values.len() > VALUES {
        return Err(Invalid {
            field: format!("filter.{field}"),
            problem: format!("{} values; {VALUES} at the most", values.len()),
        });
    }
    let read = |(index, value)| {
        read(value).map_err(|problem| Invalid {
            field: format!("filter.{field}[{index}]"),
            problem,
        })
    };
    values.iter().enumerate().map(read).collect()
}

fn set<T: std::hash::Hash + Eq>(values: impl IntoIterator<Item = T>) -> Option<HashSet<T>> {
    let values: HashSet<T> = values.into_iter().collect();
    (!values.is_empty()).then_some(values)
}

fn has<T: std::hash::Hash + Eq>(set: Option<&HashSet<T>>, value: &T) -> bool {
    set.is_none_or(|set| set.contains(value))
}

#[cfg(test)]
mod tests;
