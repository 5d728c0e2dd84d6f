//! Finds what may not be in a text that is stored.

use ryggrad_norway::{Kontonummer, PersonNumber};

/// Whether a text holds an identity number, an account number or an e-mail address.
pub(crate) fn names_a_person(text: &str) -> bool {
    let email = text.split(char::is_whitespace).any(|word| {
        word.split_once('@')
            .is_some_and(|(name, host)| name.ends_with(|c: char| c.is_alphanumeric()) && host.contains('.'))
    });
    email || digit_runs(text).any(|run| PersonNumber::parse(&run).is_ok() || Kontonummer::parse(&run).is_ok())
}

/// Runs of eleven digits, also when they are written in groups with a space or a point between.
fn digit_runs(text: &str) -> impl Iterator<Item = String> + '_ {
    let mut groups = Vec::new();
    for group in text.split(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '.'))) {
        let parts: Vec<&str> = group.split([' ', '.']).filter(|part| !part.is_empty()).collect();
        for from in 0..parts.len() {
            let mut run = String::new();
            for part in &parts[from..] {
                run.push_str(part);
                if run.len() >= 11 {
                    break;
                }
            }
            if run.len() == 11 {
                groups.push(run);
            }
        }
    }
    groups.into_iter()
}
