//! Finds what may not be in a text that is stored.

use ryggrad_norway::{Kontonummer, PersonNumber, parse_date};

/// Whether a text holds an identity number, an account number, a telephone number or an e-mail address.
///
/// It errs towards letting a text through where digits have a more likely meaning: years, dates, amounts, organisation numbers.
pub fn names_a_person(text: &str) -> bool {
    email(text) || identity_number(text) || account_number(text) || telephone(text)
}

/// Whether a line of an address leads to somebody's own door: `c/o`, `v/`, `ved` or `att.` and a name.
pub fn by_way_of_somebody(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    let mut words = line.split(|c: char| c.is_whitespace() || c == ',');
    let first = words.next().unwrap_or_default();
    let marks = |word: &str| {
        ["c/o", "v/", "att.", "att:", "attn"]
            .iter()
            .any(|mark| word.starts_with(mark))
    };
    marks(first) || matches!(first, "co" | "ved" | "v" | "v." | "att") || words.any(marks)
}

fn email(text: &str) -> bool {
    text.split(char::is_whitespace).any(|word| {
        word.split_once('@')
            .is_some_and(|(name, host)| name.ends_with(|c: char| c.is_alphanumeric()) && host.contains('.'))
    })
}

/// Eleven digits that are an identity number, however they are grouped: day and two check digits leave little to chance.
fn identity_number(text: &str) -> bool {
    runs(text, false).iter().any(|run| {
        run.windows_of(11).any(|range| {
            let digits = run.digits(range);
            PersonNumber::parse(&digits).is_ok()
        })
    })
}

/// Eleven digits that are an account number, in one piece or grouped 4-2-5 as accounts are: one in eleven numbers has its check digit.
fn account_number(text: &str) -> bool {
    runs(text, true).iter().any(|run| {
        run.windows_of(11).any(|range| {
            let shape: Vec<_> = run.groups[range.clone()].iter().map(|group| group.len()).collect();
            matches!(shape[..], [11] | [4, 2, 5]) && Kontonummer::parse(&run.digits(range)).is_ok()
        })
    })
}

/// Eight digits that begin as Norwegian telephone numbers do (2 to 9), in one piece or grouped 2-2-2-2 or 3-2-3; any eight after +47.
fn telephone(text: &str) -> bool {
    runs(text, true).iter().any(|run| {
        let first = run.groups[0];
        let foreign_prefix = run.before == Some('+') || first.starts_with("0047");
        let national = first.trim_start_matches("00");
        if foreign_prefix && national.starts_with("47") {
            let digits: usize = run.groups.iter().map(|group| group.len()).sum();
            return digits - (first.len() - national.len()) >= 10;
        }
        (0..run.groups.len()).any(|from| {
            [1, 3, 4].iter().any(|count| {
                let Some(groups) = run.groups.get(from..from + count) else {
                    return false;
                };
                let begins = groups[0].starts_with(|c: char| ('2'..='9').contains(&c));
                let shape: Vec<_> = groups.iter().map(|group| group.len()).collect();
                begins
                    && match shape[..] {
                        [8] => run.stands_alone(from) && !is_date(groups[0]) && !run.is_amount(),
                        [2, 2, 2, 2] | [3, 2, 3] => run.borders_on_years_only(from, from + count),
                        _ => false,
                    }
            })
        })
    })
}

/// Whether eight digits are a day, as in 20260512.
fn is_date(digits: &str) -> bool {
    let (year, rest) = digits.split_at(4);
    let (month, day) = rest.split_at(2);
    matches!(&year[..2], "19" | "20") && parse_date(&format!("{year}-{month}-{day}")).is_ok()
}

/// Groups of digits with nothing but separators between.
struct Run<'t> {
    groups: Vec<&'t str>,
    /// The separator, where it is one character and always the same.
    separator: Option<char>,
    before: Option<char>,
    text_before: &'t str,
    text_after: &'t str,
}

/// The runs of a text. A strict run has one character between its groups, the same everywhere; otherwise there may be up to three
/// of any kind, as in `010190 - 12345`.
fn runs(text: &str, strict: bool) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    let mut end_of_last = 0;
    for (start, group) in groups(text) {
        let gap = &text[end_of_last..start];
        let mut between = gap.chars();
        let (one, more) = (between.next(), between.next());
        let width = gap.chars().count();
        if let Some(run) = runs.last_mut()
            && gap.chars().all(is_separator)
            && if strict {
                more.is_none() && (run.groups.len() == 1 || run.separator == one)
            } else {
                width <= 3
            }
        {
            run.separator = one;
            run.groups.push(group);
        } else {
            runs.push(Run {
                groups: vec![group],
                separator: None,
                before: text[..start].chars().next_back(),
                text_before: &text[..start],
                text_after: "",
            });
        }
        end_of_last = start + group.len();
        if let Some(run) = runs.last_mut() {
            run.text_after = &text[end_of_last..];
        }
    }
    runs
}

/// Where groups of digits begin, and what they are.
fn groups(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(|c: char| c.is_ascii_digit())?;
        let rest = &text[start..];
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        at = start + length;
        Some((start, &rest[..length]))
    })
}

/// What people write between groups of digits: spaces of any width (NBSP and tab too), points, strokes and dashes, and what cannot
/// be seen.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '.' | '/' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'
        )
}

// === impl Run ===

impl Run<'_> {
    /// Groups in a row that have so many digits together.
    fn windows_of(&self, digits: usize) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        (0..self.groups.len()).filter_map(move |from| {
            let mut sum = 0;
            let to = self.groups[from..].iter().position(|group| {
                sum += group.len();
                sum >= digits
            })?;
            (sum == digits).then_some(from..from + to + 1)
        })
    }

    fn digits(&self, range: std::ops::Range<usize>) -> String {
        self.groups[range].concat()
    }

    /// Whether a group is a word by itself, and no part of an address on the web, a reference or a longer number.
    fn stands_alone(&self, at: usize) -> bool {
        let joined = |c: char| c.is_alphanumeric() || matches!(c, '/' | '=' | '_' | '-' | '#' | '&' | '.');
        let within = self.groups.len() == 1 || self.separator.is_some_and(char::is_whitespace);
        let before = at > 0 || !self.before.is_some_and(joined);
        let mut after = self.text_after.chars();
        let next = after.next();
        let follows = next.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '=' | '_' | '-'));
        // A point ends a sentence; a comma or point before a digit goes on with the number.
        let decimals = matches!(next, Some(',' | '.')) && after.next().is_some_and(|c| c.is_ascii_digit());
        within && before && (at + 1 < self.groups.len() || !(follows || decimals))
    }

    /// Whether the groups beside these are of four digits or more, as years are: 22 86 20 00 of a longer row is none.
    fn borders_on_years_only(&self, from: usize, to: usize) -> bool {
        let long = |group: Option<&&str>| group.is_none_or(|group| group.len() >= 4);
        long(from.checked_sub(1).and_then(|before| self.groups.get(before))) && long(self.groups.get(to))
    }

    /// Whether it is money: a currency stands beside it.
    fn is_amount(&self) -> bool {
        let before = self.text_before.trim_end().to_lowercase();
        let after = self.text_after.trim_start().to_lowercase();
        let currency = |word: &str| matches!(word, "kr" | "kroner" | "nok" | "kr.");
        let last = before.rsplit(char::is_whitespace).next().unwrap_or_default();
        let next = after
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | '.' | ')' | ';'))
            .next()
            .unwrap_or_default();
        currency(last) || currency(next) || after.starts_with(",-")
    }
}
