//! Norwegian bank account numbers: eleven digits, the last a check digit modulo 11.

use std::fmt;

use crate::check;
use crate::code_list::text_type;
use crate::{Invalid, Problem, Subject};

const WEIGHTS: &[u32] = &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/// A valid account number. It is masked in print and cannot be serialised: facts carry a token instead.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kontonummer([u8; 11]);

impl Kontonummer {
    /// Eleven digits without separators, whose check digit fits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem| Invalid::new(Subject::Kontonummer, problem);
        let digits = check::digits::<11>(text).map_err(refuse)?;
        match check::mod11(&digits, WEIGHTS) {
            None => Err(refuse(Problem::NeverAssigned)),
            Some(digit) if digit != digits[10] => Err(refuse(Problem::CheckDigit)),
            Some(_) => Ok(Self(digits)),
        }
    }

    /// The eleven digits in clear, for making the token and for nothing else.
    pub fn expose(self) -> String {
        self.0.iter().map(|digit| char::from(digit + b'0')).collect()
    }
}

impl fmt::Display for Kontonummer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("*********{}{}", self.0[9], self.0[10]))
    }
}

impl fmt::Debug for Kontonummer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kontonummer({self})")
    }
}

text_type!(@parse Kontonummer);
