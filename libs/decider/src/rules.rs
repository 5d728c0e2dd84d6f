//! The rules of the domain, generated from `data/rules.csv`: what each says, what kind of rule it is and where it comes from.

/// A rule that a decision can rest on.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number: `R-2.10`.
    pub id: &'static str,
    /// What it says, in English.
    pub text: &'static str,
    /// Its Norwegian term, or the section of the law.
    pub term: &'static str,
    /// What kind of rule it is.
    pub nature: Nature,
    /// Its sources, as numbered in the handbook.
    pub sources: &'static [&'static str],
}

/// What a rule rests on. People have a right to know whether something is the law or only our idea.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// An act of parliament.
    Law,
    /// A regulation (forskrift).
    Regulation,
    /// The terms of a grant scheme.
    Scheme,
    /// A municipality's or a platform's own rule.
    Local,
    /// How authorities and associations do it.
    Practice,
    /// The association's own bylaws.
    Bylaws,
    /// Our own design: may be questioned.
    Design,
    /// How a value is written.
    Format,
    /// Advice: never stands in the way.
    Advice,
}

// === impl Rule ===

impl Rule {
    /// Act or regulation and section that it rests on, when its term is that; none for a term of the domain.
    pub fn legal_reference(&self) -> Option<&'static str> {
        let is_law = matches!(self.nature, Nature::Law | Nature::Regulation);
        let is_reference = ["§", " art. ", " ch. ", "loven"]
            .iter()
            .any(|part| self.term.contains(part));
        (is_law && is_reference).then_some(self.term)
    }
}

// === impl Nature ===

impl Nature {
    /// Its name in the contract: `law`, `regulation`, …
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Regulation => "regulation",
            Self::Scheme => "scheme",
            Self::Local => "local",
            Self::Practice => "practice",
            Self::Bylaws => "bylaws",
            Self::Design => "design",
            Self::Format => "format",
            Self::Advice => "advice",
        }
    }
}

/// The form of the input itself: a value that is missing, too long or not what its field holds.
pub static INPUT: Rule = Rule {
    id: "R-0.00",
    text: "every field of a command has the form that its contract says",
    term: "",
    nature: Nature::Format,
    sources: &["D"],
};

/// Nobody is shown more than there is a basis for.
pub static ACCESS: Rule = Rule {
    id: "R-0.98",
    text: "nobody is shown more than the matrix of stakeholders has a basis for: denied is what nothing allows",
    term: "dataminimering",
    nature: Nature::Design,
    sources: &["D"],
};

/// The order in which things can happen to one thing, as in the state machines of the handbook.
pub static STATE: Rule = Rule {
    id: "R-0.99",
    text: "a command fits the state that its aggregate is in",
    term: "",
    nature: Nature::Design,
    sources: &["D"],
};

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

#[cfg(test)]
mod tests {
    use super::{ALL, Nature};

    #[test]
    fn nothing_that_rests_on_our_own_word_is_called_law() {
        for rule in ALL {
            if rule.sources.iter().all(|s| matches!(*s, "OK" | "D")) {
                assert!(!matches!(rule.nature, Nature::Law | Nature::Regulation), "{}", rule.id);
            }
        }
        assert!(
            ALL.iter().any(|rule| rule.legal_reference().is_some()),
            "some rules name what they rest on"
        );
        assert_eq!(super::R_2_07.legal_reference(), Some("enhetsregisterloven § 5"));
        assert_eq!(super::R_2_05.legal_reference(), None, "a term is no reference");
        assert_eq!(super::R_0_05.nature, Nature::Design);
        assert_eq!(super::R_2_12.nature, Nature::Law);
    }
}
