//! Numbers that can be dialled, and those that can be given to an extension.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNumber {
    /// Nothing was given.
    #[error("enter a number")]
    Empty,
    /// Longer than the longest that is accepted.
    #[error("use at most {0} digits")]
    TooLong(usize),
    /// A character that can't stand in such a number.
    #[error("`{0}` can't be part of the number: use digits only")]
    Character(char),
}

/// What a caller dialled: digits, `*`, `#` and a leading `+`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(String);

impl Number {
    /// Twice E.164's 15 digits, for prefixes and feature codes in front.
    pub const MAX_DIGITS: usize = 32;

    /// The number as dialled.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Number {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        if text.is_empty() {
            return Err(InvalidNumber::Empty);
        }
        if text.len() > Self::MAX_DIGITS {
            return Err(InvalidNumber::TooLong(Self::MAX_DIGITS));
        }
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.is_empty() {
            return Err(InvalidNumber::Empty);
        }
        match digits
            .chars()
            .find(|c| !c.is_ascii_digit() && !matches!(c, '*' | '#'))
        {
            Some(other) => Err(InvalidNumber::Character(other)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// The number of an extension: 1 to 16 digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExtensionNumber(String);

impl ExtensionNumber {
    /// E.164's 15 digits and one in front.
    pub const MAX_DIGITS: usize = 16;

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExtensionNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        if text.is_empty() {
            return Err(InvalidNumber::Empty);
        }
        if text.len() > Self::MAX_DIGITS {
            return Err(InvalidNumber::TooLong(Self::MAX_DIGITS));
        }
        match text.chars().find(|c| !c.is_ascii_digit()) {
            Some(other) => Err(InvalidNumber::Character(other)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl From<ExtensionNumber> for Number {
    fn from(number: ExtensionNumber) -> Self {
        Self(number.0)
    }
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidNumber;

            fn try_from(text: String) -> Result<Self, InvalidNumber> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

text_conversions!(Number);
text_conversions!(ExtensionNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_phone_can_dial_is_a_number() {
        for good in ["1", "911", "+420777123456", "*21*602#"] {
            assert_eq!(good.parse::<Number>().map(String::from), Ok(good.into()));
        }
        assert_eq!("".parse::<Number>(), Err(InvalidNumber::Empty));
        assert_eq!("+".parse::<Number>(), Err(InvalidNumber::Empty));
        assert_eq!("12a".parse::<Number>(), Err(InvalidNumber::Character('a')));
        assert_eq!("1+2".parse::<Number>(), Err(InvalidNumber::Character('+')));
        assert_eq!(
            "1".repeat(33).parse::<Number>(),
            Err(InvalidNumber::TooLong(32))
        );
    }

    #[test]
    fn an_extension_has_digits_only() {
        assert!("122".parse::<ExtensionNumber>().is_ok());
        assert_eq!(
            "*1".parse::<ExtensionNumber>(),
            Err(InvalidNumber::Character('*'))
        );
        assert_eq!(
            "1".repeat(17).parse::<ExtensionNumber>(),
            Err(InvalidNumber::TooLong(16))
        );
    }
}
