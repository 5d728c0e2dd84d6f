//! Industry codes (næringskoder): the shape of all, and the names of those that voluntary organisations have.

use crate::code_list::{find, text_type};
use crate::tables::NACE;
use crate::{Invalid, Problem, Subject};

/// An industry code, as `94.992`. The list in use changes with the standard (SN2007, SN2025), so any code of the right shape is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nace([u8; 6]);

impl Nace {
    /// Two digits, a point, three digits.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let refuse = |problem| Err(Invalid::new(Subject::Nace, problem));
        let Ok(bytes) = <[u8; 6]>::try_from(text.as_bytes()) else {
            return refuse(Problem::Length {
                expected: 6,
                found: text.chars().count(),
            });
        };
        let shaped = bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if at == 2 { *byte == b'.' } else { byte.is_ascii_digit() });
        if shaped {
            Ok(Self(bytes))
        } else {
            refuse(Problem::Format { expected: "NN.NNN" })
        }
    }

    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII is stored")
    }

    /// The English name, where the code is one of the subset that voluntary organisations have.
    pub fn known_name(&self) -> Option<&'static str> {
        find(NACE, self.as_str()).map(|at| NACE[usize::from(at)].en)
    }

    fn code(&self) -> &str {
        self.as_str()
    }
}

text_type!(Nace);
