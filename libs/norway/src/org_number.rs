//! Organisasjonsnummer: nine digits, the last a check digit modulo 11.

use std::fmt;

use crate::check;
use crate::code_list::text_type;
use crate::{Invalid, Problem, Subject};

const WEIGHTS: &[u32] = &[3, 2, 7, 6, 5, 4, 3, 2];

/// A valid organisation number. It is dumb: it says nothing about the organisation, except that 2 and 3 begin the synthetic series.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgNumber([u8; 9]);

impl OrgNumber {
    /// A number that may be written: nine digits beginning with 2, 3, 8 or 9, and the check digit fits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let number = Self::parse_tolerant(text)?;
        if !matches!(number.0[0], b'2' | b'3' | b'8' | b'9') {
            return Err(Invalid::new(
                Subject::OrgNumber,
                Problem::FirstDigit { allowed: "2, 3, 8, 9" },
            ));
        }
        Ok(number)
    }

    /// Any nine digits whose check digit fits, whatever they begin with: for reading the register authority's test data.
    pub fn parse_tolerant(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem| Invalid::new(Subject::OrgNumber, problem);
        let digits = check::digits::<9>(text).map_err(refuse)?;
        match check::mod11(&digits, WEIGHTS) {
            None => Err(refuse(Problem::NeverAssigned)),
            Some(digit) if digit != digits[8] => Err(refuse(Problem::CheckDigit)),
            Some(_) => Ok(Self(digits.map(|digit| digit + b'0'))),
        }
    }

    /// The number beginning with these eight digits (0 to 99,999,999); none when its check digit would be 10.
    pub fn with_check_digit(first_eight: u32) -> Option<Self> {
        let mut digits = [0; 9];
        let mut rest = first_eight;
        for digit in digits[..8].iter_mut().rev() {
            *digit = u8::try_from(rest % 10).ok()?;
            rest /= 10;
        }
        if rest > 0 {
            return None;
        }
        digits[8] = check::mod11(&digits, WEIGHTS)?;
        Some(Self(digits.map(|digit| digit + b'0')))
    }

    /// Whether it belongs to the series for test data (first digit 2 or 3), which no real organisation has.
    pub fn is_synthetic(self) -> bool {
        matches!(self.0[0], b'2' | b'3')
    }

    /// The nine digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII digits are stored")
    }

    /// The number as an integer, for compact keys.
    pub fn to_u32(self) -> u32 {
        self.0
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    }

    fn code(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for OrgNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrgNumber({})", self.as_str())
    }
}

text_type!(OrgNumber);
