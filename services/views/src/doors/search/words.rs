//! Words that a text has to have, regardless of case and accents.

use crate::municipality_directory::name_key;

/// Words, each of which has to be the beginning of a word of a text.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<String>);

// === impl Words ===

impl Words {
    /// In any order. A star at the end of a word says only what is meant anyway.
    pub(super) fn each(text: &str) -> Self {
        let key = name_key(text);
        let words = key.split_whitespace().map(|word| word.trim_end_matches('*'));
        Self(words.filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }

    /// As one.
    pub(super) fn in_a_row(text: &str) -> Self {
        Self(vec![name_key(text).trim_end_matches('*').to_owned()])
    }

    /// Patterns that the key of a text, with a space before it, has to match.
    pub(super) fn patterns(&self) -> Vec<String> {
        let pattern = |word: &String| {
            let word = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            format!("% {word}%")
        };
        self.0.iter().map(pattern).collect()
    }

    /// Whether the key of a text has them.
    pub(super) fn are_in(&self, key: &str) -> bool {
        let text = format!(" {key}");
        self.0.iter().all(|word| text.contains(&format!(" {word}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_at_the_beginning_of_one() {
        let key = name_key("MO I RANA");
        for (text, found) in [
            ("mo", true),
            ("Rana mo", true),
            ("ra*", true),
            ("ana", false),
            ("mo oslo", false),
        ] {
            assert_eq!(Words::each(text).are_in(&key), found, "{text}");
        }
        assert!(Words::in_a_row("i ra").are_in(&key) && !Words::in_a_row("rana mo").are_in(&key));
    }

    #[test]
    fn signs_of_patterns_are_no_signs() {
        assert_eq!(Words::each("100% _a").patterns(), ["% 100\\%%", "% \\_a%"]);
    }
}
