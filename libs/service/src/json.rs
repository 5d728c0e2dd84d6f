//! The place and the field of an error that the JSON parser reports by line and column.

/// The byte that `line` and `column` (both from 1) name in `json`.
#[must_use]
pub fn byte_at(json: &[u8], line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match json[start..].iter().position(|byte| *byte == b'\n') {
            Some(newline) => start += newline + 1,
            None => break,
        }
    }
    (start + column.saturating_sub(1)).min(json.len())
}

enum Frame {
    Object(Option<String>),
    Array(usize),
}

/// The path of the field that `until` lies in, as `icnpoKategorier[1].icnpoNummer`; none when it lies in no field.
#[must_use]
pub fn field_at(json: &[u8], until: usize) -> Option<String> {
    let mut stack: Vec<Frame> = Vec::new();
    let mut expects_key = false;
    let mut after_comma = false;
    let mut at = 0;
    while at < until.min(json.len()) {
        if after_comma && !json[at].is_ascii_whitespace() {
            after_comma = false;
            match stack.last_mut() {
                Some(Frame::Array(index)) => *index += 1,
                Some(Frame::Object(_)) => expects_key = true,
                None => {}
            }
        }
        match json[at] {
            b'{' => {
                stack.push(Frame::Object(None));
                expects_key = true;
            }
            b'[' => stack.push(Frame::Array(0)),
            b'}' | b']' => {
                stack.pop();
                expects_key = false;
            }
            b',' => after_comma = true,
            b'"' => {
                let end = text_end(json, at + 1);
                if let (true, Some(Frame::Object(key))) = (expects_key, stack.last_mut()) {
                    *key = Some(String::from_utf8_lossy(&json[at + 1..end]).into_owned());
                    expects_key = false;
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for frame in &stack {
        match frame {
            Frame::Object(Some(key)) if path.is_empty() => path.push_str(key),
            Frame::Object(Some(key)) => {
                path.push('.');
                path.push_str(key);
            }
            Frame::Object(None) => {}
            Frame::Array(index) => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
    }
    (!path.is_empty()).then_some(path)
}

/// Where the text that begins at `from` ends: at its closing quote, or at the end of the input.
fn text_end(json: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(&byte) = json.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_leads_to_where_reading_stopped() {
        let path = |json: &[u8]| field_at(json, json.len());
        assert_eq!(path(br#"{"a":{"b":[1,{"c":"x\"}"#).as_deref(), Some("a.b[1].c"));
        assert_eq!(path(br#"{"a":1,"b""#).as_deref(), Some("b"));
        assert_eq!(path(br#"{"a":[1,2],"b":{"c":3},"#).as_deref(), Some("b"));
        assert_eq!(path(b""), None);
    }

    #[test]
    fn a_line_and_a_column_are_a_byte() {
        assert_eq!(byte_at(b"{\n  1}", 2, 3), 4);
        assert_eq!(byte_at(b"{}", 7, 9), 2, "no further than there is text");
    }
}
