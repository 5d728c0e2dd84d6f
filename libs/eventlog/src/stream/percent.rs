//! Percent-encoding of header values, as the CloudEvents binding for NATS asks for.

use std::borrow::Cow;

/// Encodes space, `"`, `%` and everything outside U+0021 to U+007E.
pub fn encode(text: &str) -> Cow<'_, str> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    Cow::Owned(encoded)
}

/// Decodes what [`encode`] made; `None` when it is not that.
pub(super) fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let [high, low, tail @ ..] = tail else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            bytes.push(digit(*high)? << 4 | digit(*low)?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

const fn is_plain(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && byte != b'"' && byte != b'%'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_the_binding_names_is_encoded() {
        assert_eq!(
            encode("Euro € 😀 \"100%\""),
            "Euro%20%E2%82%AC%20%F0%9F%98%80%20%22100%25%22"
        );
        assert_eq!(encode("a:b/c,d"), "a:b/c,d");
        assert_eq!(decode("%4"), None);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "\\PC*") {
            let encoded = encode(&text).into_owned();
            prop_assert!(encoded.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            prop_assert_eq!(decode(&encoded), Some(text));
        }
    }
}
