//! The part of an address after the question mark: every name is known, and every value is read, or it is refused.

use std::str::FromStr;

use http::Uri;
use ryggrad_proto::events::v1::{EventFilter, SubscribeRequest};
use ryggrad_proto::options::v1::PrivacyClass;
use ryggrad_service::ApiError;
use uuid::Uuid;

use crate::catalogue::class_name;

/// Names and values, decoded.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

// === impl Query ===

impl Query {
    /// Reads what an address says.
    ///
    /// # Errors
    /// Names the one that is not known.
    pub(super) fn parse(uri: &Uri, known: &[&str]) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(uri.query().unwrap_or_default())
            .map_err(|error| ApiError::invalid("", format!("the query cannot be read: {error}")))?;
        for (name, value) in &pairs {
            if !known.contains(&name.as_str()) {
                let problem = if known.is_empty() {
                    "this path takes no parameters".to_owned()
                } else {
                    format!("there is no such parameter; there are {}", known.join(", "))
                };
                return Err(ApiError::invalid(name.as_str(), problem));
            }
            if value.contains('\0') {
                let problem = "the text contains a NUL character (U+0000)";
                return Err(ApiError::invalid(name.as_str(), problem));
            }
        }
        Ok(Self(pairs))
    }

    /// The one value of a name.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(other, _)| other == name);
        let value = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            Some(_) => Err(ApiError::invalid(name, "it is there twice")),
            None => Ok(value),
        }
    }

    /// The one value of a name as something that can be parsed.
    pub(super) fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        let value = text.parse();
        value
            .map(Some)
            .map_err(|_| ApiError::invalid(name, format!("{text:?} is not {what}")))
    }

    /// A number within bounds, or the usual one.
    pub(super) fn within(&self, name: &str, (least, most, usual): (u32, u32, u32)) -> Result<u32, ApiError> {
        let asked = self.parsed(name, "a number")?.unwrap_or(usual);
        if (least..=most).contains(&asked) {
            return Ok(asked);
        }
        let (least, most) = (least.into(), most.into());
        Err(crate::refusal::out_of_bounds(name, asked.into(), least, most))
    }

    /// A yes, by the name alone or by true.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.one(name)? {
            None | Some("false") => Ok(false),
            Some("" | "true") => Ok(true),
            Some(other) => Err(ApiError::invalid(name, format!("{other:?} is neither true nor false"))),
        }
    }

    /// The values of a name, repeated or separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(other, _)| other == name);
        values
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The classes that are named: PUBLIC, public or PRIVACY_CLASS_PUBLIC.
    pub(super) fn classes(&self) -> Result<Vec<i32>, ApiError> {
        let named = |(index, name): (usize, &String)| {
            let short = name.to_ascii_uppercase();
            let short = short.trim_start_matches("PRIVACY_CLASS_");
            [
                PrivacyClass::Public,
                PrivacyClass::Org,
                PrivacyClass::Pers,
                PrivacyClass::Conf,
            ]
            .into_iter()
            .find(|class| class_name(*class) == short)
            .map(i32::from)
            .ok_or_else(|| {
                ApiError::invalid(
                    format!("classes[{index}]"),
                    format!("there is no privacy class {name:?}"),
                )
            })
        };
        self.list("classes").iter().enumerate().map(named).collect()
    }

    /// What is said about where to start and which events.
    pub(super) fn request(&self) -> Result<SubscribeRequest, ApiError> {
        let filter = EventFilter {
            types: self.list("types"),
            contexts: self.list("contexts"),
            organisations: self.list("organisations"),
            kommunenummer: self.list("kommunenummer"),
            classes: self.classes()?,
            aggregate_types: self.list("aggregate_types"),
        };
        let text = |name| Ok::<_, ApiError>(self.one(name)?.unwrap_or_default().to_owned());
        let mut request = SubscribeRequest {
            epoch: text("epoch")?,
            filter: Some(filter),
            from_time: self
                .parsed::<jiff::Timestamp>("from_time", "an instant such as 2026-05-01T12:00:00Z")?
                .map(Into::into),
            from_now: self.flag("from_now")?,
            subscription: text("subscription")?,
            ..SubscribeRequest::default()
        };
        Self::start_after(&mut request, "after", self.one("after")?)?;
        Ok(request)
    }

    /// A position or an event's id.
    pub(super) fn start_after(request: &mut SubscribeRequest, name: &str, value: Option<&str>) -> Result<(), ApiError> {
        let Some(text) = value else { return Ok(()) };
        if let Ok(position) = text.parse() {
            request.after = position;
        } else if Uuid::try_parse(text).is_ok() {
            text.clone_into(&mut request.after_event_id);
        } else {
            let problem = format!("{text:?} is neither a position nor the id of an event");
            return Err(ApiError::invalid(name, problem));
        }
        Ok(())
    }

    /// The address of the same after another position.
    pub(super) fn onwards(&self, path: &str, next: u64, epoch: &str) -> String {
        let start = ["after", "from_time", "from_now", "epoch"];
        let mut pairs = vec![("after", next.to_string()), ("epoch", epoch.to_owned())];
        for (name, value) in &self.0 {
            if !start.contains(&name.as_str()) {
                pairs.push((name, value.clone()));
            }
        }
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        format!("{path}?{query}")
    }
}

/// Fields of the filter are parameters by themselves here.
pub(super) fn plainly(error: ApiError) -> ApiError {
    match error {
        ApiError::Invalid { field, reason } => {
            let field = field.strip_prefix("filter.").unwrap_or(&field).to_owned();
            let field = if field == "after_event_id" {
                "after".to_owned()
            } else {
                field
            };
            ApiError::Invalid { field, reason }
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<Query, ApiError> {
        let uri: Uri = format!("/v1/events?{text}").parse().unwrap();
        Query::parse(&uri, &["after", "limit", "types", "classes", "epoch"])
    }

    #[test]
    fn what_is_not_known_is_refused_by_its_name() {
        assert!(query("colour=red").unwrap_err().to_string().starts_with("colour:"));
        assert!(query("types=a%00").unwrap_err().to_string().starts_with("types:"));
        let twice = query("after=1&after=2").unwrap();
        assert!(twice.request().unwrap_err().to_string().starts_with("after:"));
        let wrong = query("classes=public,green").unwrap();
        assert!(wrong.classes().unwrap_err().to_string().starts_with("classes[1]:"));
        assert!(query("after=-1").unwrap().request().is_err());
    }

    #[test]
    fn values_are_repeated_or_separated_by_commas() {
        let asked = query("types=A,B&types=%20C&classes=ORG,public").unwrap();
        assert_eq!(asked.list("types"), ["A", "B", "C"]);
        assert_eq!(asked.classes().unwrap(), [2, 1]);
        let id = "0192f1a0-7c3e-7d4b-8a5f-3b2c1d0e9f8a";
        let request = query(&format!("after={id}")).unwrap().request().unwrap();
        assert_eq!((request.after, request.after_event_id.as_str()), (0, id));
    }

    #[test]
    fn the_next_address_keeps_the_filter_and_moves_the_start() {
        let asked = query("types=A&after=3&limit=10&types=B%26C").unwrap();
        assert_eq!(
            asked.onwards("/v1/events", 13, "e"),
            "/v1/events?after=13&epoch=e&types=A&limit=10&types=B%26C"
        );
    }
}
