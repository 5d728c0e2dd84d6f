//! Majorities, computed with integers only (handbook 2.7): a resolution must not hang on how a fraction was rounded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::code_list::text_type;
use crate::{Invalid, Problem, Subject};

/// A share of a whole, more than nothing and at most all of it, as `2/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    num: u32,
    den: u32,
}

/// What a majority is counted of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// of the votes cast
    VotesCast,
    /// of those present with a right to vote
    Present,
    /// of all members with a right to vote
    AllMembers,
}

/// How large a part must be in favour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// more than half
    MoreThanHalf,
    /// this share or more
    AtLeast(Share),
}

/// The majority that the bylaws ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Majority {
    /// how large a part must be in favour
    pub threshold: Threshold,
    /// of whom
    pub basis: Basis,
}

// === impl Share ===

impl Share {
    /// `num/den`; refused when it is nothing, or more than the whole.
    pub fn try_new(num: u32, den: u32) -> Result<Self, Invalid> {
        if num == 0 || num > den {
            return Err(Invalid::new(Subject::Share, Problem::OutOfRange));
        }
        Ok(Self { num, den })
    }

    /// A share written `num/den`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let parts = text
            .split_once('/')
            .and_then(|(num, den)| Some((num.parse().ok()?, den.parse().ok()?)));
        let (num, den) = parts.ok_or_else(|| Invalid::new(Subject::Share, Problem::Format { expected: "num/den" }))?;
        Self::try_new(num, den)
    }

    /// The numerator.
    pub fn num(self) -> u32 {
        self.num
    }

    /// The denominator.
    pub fn den(self) -> u32 {
        self.den
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

text_type!(@parse Share);

// === impl Majority ===

impl Majority {
    /// More than half of the votes cast, the ordinary majority.
    pub const ORDINARY: Self = Self {
        threshold: Threshold::MoreThanHalf,
        basis: Basis::VotesCast,
    };

    /// Two thirds of the votes cast, the usual majority for changing bylaws, merging and dissolving.
    pub const TWO_THIRDS: Self = Self {
        threshold: Threshold::AtLeast(Share { num: 2, den: 3 }),
        basis: Basis::VotesCast,
    };

    /// Whether `votes_for` of `votes_cast` (or of whatever [`Basis`] counts) is such a majority. Exact for all counts; nobody's
    /// votes pass nothing, and more votes in favour than there are is no majority.
    pub fn passes(&self, votes_for: u64, votes_cast: u64) -> bool {
        if votes_cast == 0 || votes_for > votes_cast {
            return false;
        }
        let (votes_for, votes_cast) = (u128::from(votes_for), u128::from(votes_cast));
        match self.threshold {
            Threshold::MoreThanHalf => 2 * votes_for > votes_cast,
            Threshold::AtLeast(share) => votes_for * u128::from(share.den) >= u128::from(share.num) * votes_cast,
        }
    }
}
