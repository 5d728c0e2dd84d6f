//! KID, the payment reference of Norwegian invoices: 2 to 25 characters, the last a check digit by MOD10 or MOD11.

use crate::check;
use crate::code_list::text_type;
use crate::{Invalid, Problem, Subject};

/// A valid payment reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid(String);

/// The way a check digit of a KID is computed; a reference may happen to satisfy both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KidMethod {
    /// Luhn
    Mod10,
    /// weights 2 to 7 from the right; a check digit of 10 is written `-`
    Mod11,
}

impl Kid {
    /// 2 to 25 digits (a final `-` stands for 10 in MOD11), valid by one of the two methods.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem| Invalid::new(Subject::Kid, problem);
        let length = text.chars().count();
        if !(2..=25).contains(&length) {
            return Err(refuse(Problem::Length {
                expected: length.clamp(2, 25),
                found: length,
            }));
        }
        let last = text.len() - 1;
        let stray = text
            .bytes()
            .enumerate()
            .find(|(at, byte)| !(byte.is_ascii_digit() || *at == last && *byte == b'-'));
        if let Some((at, _)) = stray {
            return Err(refuse(Problem::NotADigit { at: at + 1 }));
        }
        let kid = Self(text.to_owned());
        if kid.satisfies(KidMethod::Mod10) || kid.satisfies(KidMethod::Mod11) {
            Ok(kid)
        } else {
            Err(refuse(Problem::CheckDigit))
        }
    }

    /// Whether the check digit fits by this method.
    pub fn satisfies(&self, method: KidMethod) -> bool {
        let (payload, last) = self.0.split_at(self.0.len() - 1);
        let payload: Vec<u8> = payload.bytes().map(|byte| byte - b'0').collect();
        let expected = match method {
            KidMethod::Mod10 => char::from(check::mod10(&payload) + b'0'),
            KidMethod::Mod11 => {
                let weights: Vec<u32> = (2..=7)
                    .cycle()
                    .take(payload.len())
                    .collect::<Vec<_>>()
                    .into_iter()
                    .rev()
                    .collect();
                check::mod11(&payload, &weights).map_or('-', |digit| char::from(digit + b'0'))
            }
        };
        last.starts_with(expected)
    }

    /// The reference as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn code(&self) -> &str {
        &self.0
    }
}

text_type!(Kid);
