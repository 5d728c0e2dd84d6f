//! What every type backed by a code list has in common: a place in a sorted table, found by binary search.

/// A row of a code list.
pub(crate) trait Row {
    fn code(&self) -> &'static str;
}

/// The place of `code` in a table sorted by code.
pub(crate) fn find<R: Row>(table: &[R], code: &str) -> Option<u16> {
    let at = table.binary_search_by(|row| row.code().cmp(code)).ok()?;
    u16::try_from(at).ok()
}

/// The text conversions of a newtype: `FromStr`, `TryFrom<&str>` and `Deserialize` through its `parse`, `Display` and `Serialize`
/// through its `code`.
macro_rules! text_type {
    ($name:ident) => {
        $crate::code_list::text_type!(@parse $name);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
    (@parse $name:ident) => {
        impl std::str::FromStr for $name {
            type Err = $crate::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::Invalid;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A newtype over the place in a code list, with `parse`, `code`, `all` and the conversions of [`text_type`].
macro_rules! code_list {
    ($(#[$doc:meta])* $name:ident, $table:ident, $row:ident, $subject:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u16);

        impl $name {
            /// The entry with this code; refused when the list does not hold it.
            pub fn parse(text: &str) -> Result<Self, $crate::Invalid> {
                $crate::code_list::find($crate::tables::$table, text)
                    .map(Self)
                    .ok_or_else(|| $crate::Invalid::new($subject, Self::why_not(text)))
            }

            /// The official code.
            pub fn code(self) -> &'static str {
                self.row().code
            }

            /// Every entry of the list, in the order of the codes.
            pub fn all() -> impl ExactSizeIterator<Item = Self> {
                (0..u16::try_from($crate::tables::$table.len()).unwrap_or(u16::MAX)).map(Self)
            }

            fn row(self) -> &'static $crate::tables::$row {
                &$crate::tables::$table[usize::from(self.0)]
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.code())
            }
        }

        $crate::code_list::text_type!($name);
    };
}

pub(crate) use {code_list, text_type};
