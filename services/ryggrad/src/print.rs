//! What a command prints: for people, with colour only in a terminal, or one JSON value a line.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Something well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something to look at.
pub const BAD: Style = AnsiColor::Red.on_default();
/// Something in passing.
pub const FAINT: Style = Style::new().dimmed();
/// The word that matters in a line.
pub const STRONG: Style = Style::new().bold();

/// A text in a style. Colour is taken out again where it is printed to something that is not a terminal.
pub fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a line to standard output. A reader that went away (`| head`) ends the printing, not the program.
pub fn line(text: impl std::fmt::Display) {
    use std::io::Write as _;
    let _gone = writeln!(anstream::stdout(), "{text}");
}

/// Prints a line to standard error, for what is being done.
pub fn note(text: impl std::fmt::Display) {
    use std::io::Write as _;
    let _gone = writeln!(anstream::stderr(), "{text}");
}

/// Prints a value as one line of JSON.
///
/// # Errors
/// When the value has no JSON form.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string(value)?);
    Ok(())
}
