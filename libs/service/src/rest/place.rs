//! Where in a JSON body an error is: the field when there is one, else the byte.

use crate::ApiError;

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
    let path = path(&body[..byte.min(body.len())]);
    ApiError::invalid(path, format!("{reason} (at byte {byte})"))
}

/// Splits `… at line L column C` into what is wrong and the number of bytes before it.
fn split<'a>(text: &'a str, body: &[u8]) -> Option<(&'a str, usize)> {
    let (reason, place) = text.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    let (line, column) = (line.parse::<usize>().ok()?, column.parse::<usize>().ok()?);
    let before: usize = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.checked_sub(1)?)
        .map(<[u8]>::len)
        .sum();
    Some((reason, before + column))
}

/// The name in `unknown field `x``, for errors that have no place, such as those of a query.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix("unknown field `")?.split('`').next()
}

/// The path of keys that leads to the end of a piece of JSON.
fn path(json: &[u8]) -> String {
    enum Level {
        Object { key: Option<String>, value: bool },
        Array(usize),
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        at += 1;
        match byte {
            b'{' => levels.push(Level::Object {
                key: None,
                value: false,
            }),
            b'[' => levels.push(Level::Array(0)),
            b'}' | b']' => drop(levels.pop()),
            b':' => {
                if let Some(Level::Object { value, .. }) = levels.last_mut() {
                    *value = true;
                }
            }
            b',' => match levels.last_mut() {
                Some(Level::Array(index)) => *index += 1,
                Some(Level::Object { value, .. }) => *value = false,
                None => {}
            },
            b'"' => {
                let start = at;
                while at < json.len() && json[at] != b'"' {
                    at += if json[at] == b'\\' { 2 } else { 1 };
                }
                let text = &json[start..at.min(json.len())];
                at += 1;
                if let Some(Level::Object { key, value: false }) = levels.last_mut() {
                    *key = Some(String::from_utf8_lossy(text).into_owned());
                }
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for level in &levels {
        match level {
            Level::Object { key: Some(key), .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Level::Object { key: None, .. } => {}
            Level::Array(index) => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_leads_to_where_reading_stopped() {
        assert_eq!(path(br#"{"a":{"b":[1,{"c":"x\"}"#), "a.b[1].c");
        assert_eq!(path(br#"{"a":1,"b""#), "b");
        assert_eq!(path(br#"{"a":[1,2],"b":{"c":3},"#), "b");
        assert_eq!(path(b""), "");
    }

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
