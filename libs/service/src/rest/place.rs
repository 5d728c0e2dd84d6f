//! Where in a JSON body an error is: the field when there is one, else the byte.

use crate::{ApiError, json};

/// An error for a body that is not the message that was asked for, from what the JSON reader said about it.
pub(crate) fn invalid(message: &str, body: &[u8]) -> ApiError {
    let text = message
        .strip_prefix("request did not match the expected message: ")
        .or_else(|| message.strip_prefix("invalid request body JSON: "))
        .unwrap_or(message);
    let Some((reason, byte)) = split(text, body) else {
        return ApiError::invalid(quoted(text).unwrap_or_default(), text);
    };
    if message.starts_with("invalid request body JSON") {
        return ApiError::invalid("", format!("malformed JSON at byte {byte}: {reason}"));
    }
    let path = json::field_at(body, byte);
    ApiError::invalid(path.unwrap_or_default(), format!("{reason} (at byte {byte})"))
}

/// Splits `… at line L column C` into what is wrong and the number of bytes read by then.
fn split<'a>(text: &'a str, body: &[u8]) -> Option<(&'a str, usize)> {
    let (reason, place) = text.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    let (line, column) = (line.parse().ok()?, column.parse().ok()?);
    Some((reason, (json::byte_at(body, line, column) + 1).min(body.len())))
}

/// The name in `unknown field `x``, for errors that have no place, such as those of a query.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix("unknown field `")?.split('`').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_names_its_field_and_byte() {
        let body = b"{\n  \"meta\": {\"commandId\": 5}\n}";
        let said = "request did not match the expected message: invalid type: integer `5`, expected a string at line 2 column 25";
        let ApiError::Invalid { field, reason } = invalid(said, body) else {
            panic!("an invalid field")
        };
        assert_eq!(field, "meta.commandId");
        assert!(reason.contains("byte 27"), "{reason}");
    }
}
