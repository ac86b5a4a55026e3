//! Enums as the words they are serialised as, and lists as JSON, for text columns.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;

/// The word of a unit variant, such as `read_write`.
pub(crate) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        // Only unit variants are given to this function, and they serialise to strings.
        other => unreachable!("not a word: {other:?}"),
    }
}

/// What a word in a column stands for.
pub(crate) fn unword<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(Value::String(word)).map_err(|error| damaged("a word", &error))
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    // Model types have string keys only and no fallible serialisation.
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("not JSON: {error}"))
}

/// What a JSON text in a column stands for.
pub(crate) fn unjson<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| damaged("JSON", &error))
}

/// A column holds what no version of the software wrote.
pub(crate) fn damaged(what: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("{what} in it can't be read: {error}"))
}

/// An id from its column.
pub(crate) fn id32(raw: i64) -> Result<u32, StoreError> {
    u32::try_from(raw).map_err(|error| damaged("an id", &error))
}

/// A version from its column.
pub(crate) fn version(raw: i64) -> model::ConfigVersion {
    model::ConfigVersion::new(raw.unsigned_abs())
}
