//! Fødselsnummer and D-number: eleven digits with two check digits, by the rule of 1964 or that of 2032.

use std::fmt;

use crate::check;
use crate::code_list::text_type;
use crate::{Invalid, Problem, Subject};

const K1: &[u32] = &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1];
const K2: &[u32] = &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
const DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A valid identity number of a person. For the vault alone: it is masked in print, cannot be serialised, and tells neither sex
/// nor birth date nor century.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PersonNumber([u8; 11]);

/// Whether a person number is a fødselsnummer or a D-number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersonNumberKind {
    /// fødselsnummer
    Fnr,
    /// D-number, for persons not resident in Norway (first digit + 4)
    Dnr,
}

/// The series a number is of, told by what is added to the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Series {
    /// months 1–12: real persons
    Ordinary,
    /// months + 40: help numbers and an older test series
    Plus40,
    /// months + 80: the synthetic persons of Tenor and Test-Norge
    Plus80,
}

/// The rule that the first check digit follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckRule {
    /// remainder 0; such a number also passes the rule of 2032
    Rule1964,
    /// remainder 1, 2 or 3: given out only from 2032
    Rule2032,
}

impl PersonNumber {
    /// A valid number of either kind, by either rule, real or synthetic.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem| Invalid::new(Subject::PersonNumber, problem);
        let digits = check::digits::<11>(text).map_err(refuse)?;
        let day = digits[0] % 4 * 10 + digits[1];
        let month = (digits[2] * 10 + digits[3]) % 40;
        if digits[0] > 7 || digits[2] * 10 + digits[3] > 92 || !is_day(day, month) {
            return Err(refuse(Problem::NoSuchDay));
        }
        // 29 February needs a leap year; 00 may be 2000, and the century is not for us to know.
        let year = digits[4] * 10 + digits[5];
        if (day, month) == (29, 2) && year % 4 != 0 {
            return Err(refuse(Problem::NoSuchDay));
        }
        let k2_fits = check::weighted_sum(&digits, K2).is_multiple_of(11);
        if check::weighted_sum(&digits, K1) % 11 > 3 || !k2_fits {
            return Err(refuse(Problem::CheckDigit));
        }
        Ok(Self(digits))
    }

    /// Fødselsnummer or D-number.
    pub fn kind(self) -> PersonNumberKind {
        if self.0[0] < 4 {
            PersonNumberKind::Fnr
        } else {
            PersonNumberKind::Dnr
        }
    }

    /// The series the number is of.
    pub fn series(self) -> Series {
        match self.0[2] / 4 {
            0 => Series::Ordinary,
            1 => Series::Plus40,
            _ => Series::Plus80,
        }
    }

    /// Whether no living person can have it (month + 80); outside production nothing else is accepted.
    pub fn is_synthetic(self) -> bool {
        self.series() == Series::Plus80
    }

    /// The rule its first check digit follows.
    pub fn check_rule(self) -> CheckRule {
        if check::weighted_sum(&self.0, K1).is_multiple_of(11) {
            CheckRule::Rule1964
        } else {
            CheckRule::Rule2032
        }
    }

    /// The eleven digits in clear, to be encrypted by the vault and for nothing else.
    pub fn expose(self) -> String {
        self.0.iter().map(|digit| char::from(digit + b'0')).collect()
    }
}

fn is_day(day: u8, month: u8) -> bool {
    (1..=12).contains(&month) && day >= 1 && day <= DAYS[usize::from(month - 1)]
}

impl fmt::Display for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("***********")
    }
}

impl fmt::Debug for PersonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonNumber({:?}, {:?}, masked)", self.kind(), self.series())
    }
}

text_type!(@parse PersonNumber);
