//! Pages: how many rows, and where the next ones begin. A page begins after the last row of the one before, so that rows
//! that come and go meanwhile neither repeat nor hide any other.

use prost::Message as _;
use ryggrad_service::ApiError;

/// Most rows of a page when nothing is said.
const DEFAULT: u32 = 50;
/// Most rows of a page.
const MOST: u32 = 1_000;
/// Longest token that is looked at.
const LONGEST: usize = 4_096;

/// Where the next page begins, as it is inside a token.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Cursor {
    /// The list that it is of: a token of one list is refused by any other.
    #[prost(fixed64, tag = "1")]
    pub(super) list: u64,
    /// What the last row was sorted by, when it is a text.
    #[prost(string, tag = "2")]
    pub(super) text: String,
    /// Key of the last row.
    #[prost(string, tag = "3")]
    pub(super) key: String,
    /// What the last row was sorted by, when it is a number.
    #[prost(uint64, tag = "4")]
    pub(super) number: u64,
}

/// The page that is asked for.
#[derive(Debug)]
pub(super) struct Page {
    list: u64,
    /// Most rows.
    pub(super) size: usize,
    /// The last row of the page before.
    pub(super) after: Option<Cursor>,
}

// === impl Page ===

impl Page {
    /// Reads a request's page. `list` is everything else that the request asks for: rpc, filters and order.
    pub(super) fn parse(size: u32, token: &str, list: &str) -> Result<Self, ApiError> {
        Self::parse_within(size, token, list, DEFAULT, MOST)
    }

    /// The same with other bounds of the size.
    pub(super) fn parse_within(size: u32, token: &str, list: &str, default: u32, most: u32) -> Result<Self, ApiError> {
        if size > most {
            return Err(ApiError::invalid(
                "page_size",
                format!("{size} is not between 1 and {most}"),
            ));
        }
        let size = if size == 0 { default } else { size };
        let list = hash(list.as_bytes());
        let after = if token.is_empty() {
            None
        } else {
            Some(open(token, list)?)
        };
        Ok(Self {
            list,
            size: usize::try_from(size).unwrap_or(usize::MAX),
            after,
        })
    }

    /// How many rows to read: one more than the page has, to know whether there is another page.
    pub(super) fn limit(&self) -> i64 {
        i64::try_from(self.size).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// Cuts the rows to the page, and answers the token of the next one; empty when there is none.
    pub(super) fn cut<R>(&self, rows: &mut Vec<R>, cursor: impl FnOnce(&R) -> Cursor) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        rows.last()
            .map(|last| {
                seal(&Cursor {
                    list: self.list,
                    ..cursor(last)
                })
            })
            .unwrap_or_default()
    }
}

/// The token of a cursor: hexadecimal digits, the last sixteen of which are a check.
fn seal(cursor: &Cursor) -> String {
    let bytes = cursor.encode_to_vec();
    let check = hash(&bytes).to_be_bytes();
    let digit = |digit: u8| char::from(b"0123456789abcdef"[usize::from(digit)]);
    bytes
        .iter()
        .chain(&check)
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn open(token: &str, list: u64) -> Result<Cursor, ApiError> {
    let cursor =
        unseal(token).ok_or_else(|| ApiError::invalid("page_token", "is not the next_page_token of a page"))?;
    if cursor.list != list {
        return Err(ApiError::invalid(
            "page_token",
            "belongs to another list: send it with the same filters as the page that gave it",
        ));
    }
    Ok(cursor)
}

fn unseal(token: &str) -> Option<Cursor> {
    if token.len() > LONGEST || !token.len().is_multiple_of(2) || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pairs = (0..token.len()).step_by(2);
    let bytes: Vec<u8> = pairs
        .map(|at| u8::from_str_radix(&token[at..at + 2], 16).ok())
        .collect::<Option<_>>()?;
    let (cursor, check) = bytes.split_last_chunk::<8>()?;
    (hash(cursor).to_be_bytes() == *check)
        .then(|| Cursor::decode(cursor).ok())
        .flatten()
}

/// FNV-1a: stable for ever, and enough against mistakes. Nothing is secret in a token.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(text: &str, list: &str) -> String {
        let page = Page::parse(1, "", list).expect("a page");
        page.cut(&mut vec![(); 2], |()| Cursor {
            text: text.into(),
            ..Cursor::default()
        })
    }

    #[test]
    fn a_token_leads_back_to_its_cursor() {
        let page = Page::parse(0, &token("ås", "a"), "a").expect("its own token");
        assert_eq!(page.after.map(|cursor| cursor.text).as_deref(), Some("ås"));
        assert_eq!(page.size, 50);
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = Page::parse(2, "", "a").expect("a page");
        let mut rows = vec![(); 2];
        assert_eq!(page.cut(&mut rows, |()| Cursor::default()), "");
        assert_eq!(rows.len(), 2);
    }

    #[track_caller]
    fn refuses(size: u32, token: &str, field: &str) {
        let refused = Page::parse(size, token, "a").expect_err("refused");
        assert!(refused.to_string().starts_with(field), "{refused}");
    }

    #[test]
    fn a_page_that_is_too_large_is_refused() {
        refuses(1_001, "", "page_size:");
    }

    #[test]
    fn a_token_of_another_list_is_refused() {
        refuses(0, &token("x", "b"), "page_token: belongs to another list");
    }

    proptest! {
        #[test]
        fn what_is_no_token_is_refused(text in "[0-9a-zæ%]{1,80}") {
            refuses(0, &text, "page_token:");
        }

        #[test]
        fn a_token_with_one_other_digit_is_refused(at in 0_usize..1000, digit in 1_u8..16) {
            let mut bytes = token("Vang idrettslag", "a").into_bytes();
            let at = at % bytes.len();
            let old = char::from(bytes[at]).to_digit(16).expect("a digit");
            bytes[at] = b"0123456789abcdef"[(old as usize + usize::from(digit)) % 16];
            refuses(0, std::str::from_utf8(&bytes).expect("digits"), "page_token:");
        }
    }
}
