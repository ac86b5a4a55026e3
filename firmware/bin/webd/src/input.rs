//! What a request brings: bodies, query parameters and ids, refused with the name of the field.

use std::fmt;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::{self, DeserializeOwned, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_path_to_error::Segment;

use crate::problem::{Code, FieldCode, FieldError, Problem};

/// The largest body that is read of somebody who has logged in, in bytes: some fifty times the largest
/// object there is.
pub const MAX_BODY: usize = 64 * 1024;
/// The same of a stranger: a name and a password. With the connections and the requests on each that
/// there may be (`listener`), those of one address have 8 MiB and all strangers 64 MiB.
pub const MAX_STRANGERS_BODY: usize = 4 * 1024;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// The parameters of a query.
#[derive(Debug)]
pub struct Params<T>(pub T);

/// The id in a path. What isn't an id names no object.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "Send JSON with the header `Content-Type: application/json`.",
            ));
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection {
                    BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                        Problem::new(Code::TooLarge, "Send less: no object is so large.")
                    }
                    _ => Problem::new(Code::MalformedJson, "The body ended early: send it again."),
                })?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(value)| Self(value))
            .map_err(|rejection| {
                let text = rejection.body_text();
                let text = text
                    .strip_prefix("Failed to deserialize query string: ")
                    .unwrap_or(&text);
                query_problem(text)
            })
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(Problem::not_found("object")),
        }
    }
}

/// One parameter of a query that can't be read.
pub fn parameter(name: &str, code: FieldCode, detail: impl Into<String>) -> Problem {
    let detail = detail.into();
    Problem::new(Code::InvalidQuery, format!("Parameter {name}: {detail}"))
        .with_errors(vec![FieldError::new(format!("?{name}"), code, detail)])
}

/// Reads a whole number; `60.0` is one (JSON Schema says so).
///
/// # Errors
/// Where it isn't one, or is negative or too large.
pub fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    from.deserialize_any(Whole)
}

/// Reads an id or `null`.
///
/// # Errors
/// As [`whole`].
pub fn optional_id<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    #[derive(Deserialize)]
    struct Id(#[serde(deserialize_with = "whole")] u32);

    Ok(Option::<Id>::deserialize(from)?.map(|id| id.0))
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number that is not negative")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<u32, E> {
        if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is whole and in range"
            )]
            let whole = value as u32;
            Ok(whole)
        } else {
            Err(E::invalid_value(Unexpected::Float(value), &self))
        }
    }
}

fn is_json(request: &Request) -> bool {
    request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Serde would take the fields in their order from an array, too.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::field(
            "",
            FieldCode::WrongType,
            "send an object with named fields",
        ));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        if error.is_data() {
            data_problem(pointer, &error.to_string())
        } else {
            syntax_problem(&error)
        }
    })?;
    json.end().map_err(|error| syntax_problem(&error))?;
    Ok(value)
}

fn syntax_problem(error: &serde_json::Error) -> Problem {
    Problem::new(
        Code::MalformedJson,
        format!(
            "Correct the JSON at line {} column {}.",
            error.line(),
            error.column()
        ),
    )
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(format!("/{index}")),
            Segment::Map { key } => Some(format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// RFC 6901 §3.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Serde says what is wrong in words only: this reads them.
fn data_problem(pointer: String, text: &str) -> Problem {
    let text = text.split(" at line ").next().unwrap_or(text);
    let (within, code, detail) = describe(text);
    let pointer = match within {
        Some(name) if !pointer.ends_with(&format!("/{}", escape(name))) => {
            format!("{pointer}/{}", escape(name))
        }
        _ => pointer,
    };
    Problem::field(&pointer, code, detail)
}

fn query_problem(text: &str) -> Problem {
    match describe(text) {
        (Some(name), code, detail) => parameter(name, code, detail),
        (None, _, _) => {
            let (name, rest) = text.split_once(": ").unwrap_or(("", text));
            let (_, code, detail) = describe(rest);
            parameter(name, code, detail)
        }
    }
}

/// The field that is named, a code, and what to do.
fn describe(text: &str) -> (Option<&str>, FieldCode, String) {
    let quoted = || text.split('`').nth(1);
    let expected = || {
        let list: Vec<&str> = text.split('`').skip(3).step_by(2).collect();
        list.join(", ")
    };
    if text.starts_with("unknown field") {
        let known = expected();
        let detail = if known.is_empty() {
            "there is no such field: leave it out".to_owned()
        } else {
            format!("there is no such field: use one of {known}")
        };
        (quoted(), FieldCode::UnknownField, detail)
    } else if text.starts_with("missing field") {
        (
            quoted(),
            FieldCode::Missing,
            "this is needed: add it".to_owned(),
        )
    } else if text.starts_with("duplicate field") {
        (quoted(), FieldCode::Duplicate, "give it once".to_owned())
    } else if text.starts_with("unknown variant") {
        (
            None,
            FieldCode::UnknownValue,
            format!("use one of: {}", expected()),
        )
    } else {
        (None, FieldCode::WrongType, text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors of reading it matter")]
    struct Sample {
        name: String,
        kinds: Vec<Kind>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Red,
        Blue,
    }

    fn refused(text: &str) -> String {
        let problem = parse::<Sample>(text.as_bytes()).expect_err("it is wrong");
        format!("{problem:?}")
    }

    #[test]
    fn an_error_names_its_field() {
        for (text, parts) in [
            (r#"{"name":1,"kinds":[]}"#, ["\"/name\"", "WrongType"]),
            (r#"{"kinds":[]}"#, ["\"/name\"", "Missing"]),
            (
                r#"{"name":"","kinds":[],"x":1}"#,
                ["\"/x\"", "UnknownField"],
            ),
            (
                r#"{"name":"","name":"","kinds":[]}"#,
                ["\"/name\"", "Duplicate"],
            ),
            (
                r#"{"name":"","kinds":["red","green"]}"#,
                ["\"/kinds/1\"", "use one of: red, blue"],
            ),
            (r#"{"name":"","kinds":[]} x"#, ["MalformedJson", "line 1"]),
            ("{", ["MalformedJson", "line 1"]),
            (r#" ["", []]"#, ["\"\"", "WrongType"]),
        ] {
            let problem = refused(text);
            for part in parts {
                assert!(problem.contains(part), "{text}: {part} not in {problem}");
            }
        }
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct One(#[serde(deserialize_with = "optional_id")] Option<u32>);
        let read = |text: &str| serde_json::from_str::<One>(text).ok().map(|one| one.0);
        assert_eq!(read("60.0"), Some(Some(60)));
        assert_eq!(read("4294967295"), Some(Some(u32::MAX)));
        assert_eq!(read("null"), Some(None));
        for bad in ["60.5", "-1", "-1.0", "4294967296", "1e300", "\"1\""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_query_error_names_its_parameter() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only the errors of reading it matter")]
        struct Page {
            limit: Option<u32>,
            kind: Option<Kind>,
        }
        for (query, parts) in [
            ("limit=x", ["?limit", "WrongType"]),
            ("kind=green", ["?kind", "UnknownValue"]),
            ("more=1", ["?more", "UnknownField"]),
        ] {
            let uri = format!("/x?{query}").parse().expect("a uri");
            let text = Query::<Page>::try_from_uri(&uri)
                .expect_err("wrong")
                .body_text();
            let text = text
                .strip_prefix("Failed to deserialize query string: ")
                .unwrap_or(&text);
            let problem = format!("{:?}", query_problem(text));
            for part in parts {
                assert!(problem.contains(part), "{query}: {part} not in {problem}");
            }
        }
    }
}
