//! What is asked for: where to start, what to show, and how.

use std::path::PathBuf;
use std::str::FromStr;

use ryggrad_client::Filter;
use ryggrad_proto::options::v1::PrivacyClass;

use crate::running::Running;

/// Follow the stream of events.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) running: Running,

    /// As whom to follow, when the token is one of the development issuer: lottstift, kommune:4203, org:310028843.
    #[arg(long, value_name = "PARTY", default_value = "brreg")]
    pub(super) r#as: String,

    /// Where to start: the position of the first event, `beginning` or `now`. The last ten events when not given.
    #[arg(long, value_name = "POSITION")]
    pub(super) from: Option<Begin>,

    /// File that remembers how far this reader has come; a run that finds it goes on from there.
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    pub(super) checkpoint: Option<PathBuf>,

    /// Print one JSON object a line: the envelope with its payload decoded.
    #[arg(long)]
    pub(super) json: bool,

    /// End after so many events.
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,

    /// End when everything recorded until now has been shown.
    #[arg(long)]
    pub(super) no_follow: bool,

    /// Only events of this type: its name or CloudEvents type. May be given several times, as all of these.
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,

    /// Only events of this context, for example registration.
    #[arg(long, value_delimiter = ',')]
    context: Vec<String>,

    /// Only events of this organisation: its UUID or organisation number.
    #[arg(long, value_name = "UUID|ORGNR", value_delimiter = ',')]
    organisation: Vec<String>,

    /// Only events of organisations in this municipality (four digits) or county (two digits).
    #[arg(long, value_name = "NUMBER", value_delimiter = ',')]
    kommune: Vec<String>,

    /// Only events of this aggregate type, for example RegistrationCase.
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    aggregate: Vec<String>,

    /// Only events of this privacy class.
    #[arg(long, value_enum, value_delimiter = ',')]
    class: Vec<Class>,
}

/// Where to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    Beginning,
    Now,
    Position(u64),
}

/// A privacy class, as one writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Class {
    Public,
    Org,
    Pers,
    Conf,
}

// === impl Args ===

impl Args {
    /// Which events are wanted.
    pub(super) fn filter(&self) -> Filter {
        Filter::new()
            .types(&self.types)
            .contexts(&self.context)
            .organisations(&self.organisation)
            .kommuner(&self.kommune)
            .aggregate_types(&self.aggregate)
            .classes(self.class.iter().map(|class| PrivacyClass::from(*class)))
    }
}

// === impl Begin ===

impl FromStr for Begin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "now" => Ok(Self::Now),
            number => number
                .parse()
                .map(Self::Position)
                .map_err(|_| "a position, `beginning` or `now`".to_owned()),
        }
    }
}

impl From<Class> for PrivacyClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Public => Self::Public,
            Class::Org => Self::Org,
            Class::Pers => Self::Pers,
            Class::Conf => Self::Conf,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_position_or_a_word() {
        assert_eq!("beginning".parse(), Ok(Begin::Beginning));
        assert_eq!("now".parse(), Ok(Begin::Now));
        assert_eq!("4711".parse(), Ok(Begin::Position(4711)));
        assert!("yesterday".parse::<Begin>().is_err());
    }
}
