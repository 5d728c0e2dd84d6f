//! Calendar dates as the registers and the contracts write them: ISO 8601, and they must exist.

use jiff::civil::Date;

use crate::check;
use crate::code_list::text_type;
use crate::{Invalid, Problem, Subject};

/// The day written `YYYY-MM-DD`; refused when it is written in any other way or does not exist.
pub fn parse_date(text: &str) -> Result<Date, Invalid> {
    let refuse = |problem| Invalid::new(Subject::Date, problem);
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return Err(refuse(Problem::Format { expected: "YYYY-MM-DD" }));
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().try_fold(0_i16, |number, byte| {
            byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))
        })
    };
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else {
        return Err(refuse(Problem::Format { expected: "YYYY-MM-DD" }));
    };
    let small = |number: i16| i8::try_from(number).unwrap_or_default();
    Date::new(year, small(month), small(day)).map_err(|_| refuse(Problem::NoSuchDay))
}

/// The last day of an accounting year, written `DDMM` as the registers do: `3112` unless the organisation has chosen another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct YearEnd(String);

impl YearEnd {
    /// Four digits, day and month, that exist in every year (29 February does not).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem| Invalid::new(Subject::YearEnd, problem);
        let [d1, d2, m1, m2] = check::digits::<4>(text).map_err(refuse)?.map(u8::cast_signed);
        match Date::new(2001, m1 * 10 + m2, d1 * 10 + d2) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(refuse(Problem::NoSuchDay)),
        }
    }

    /// The four digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn code(&self) -> &str {
        &self.0
    }
}

impl Default for YearEnd {
    fn default() -> Self {
        Self("3112".to_owned())
    }
}

text_type!(YearEnd);
