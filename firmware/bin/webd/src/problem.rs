//! What an answer says when something is wrong: RFC 9457 problem details.
//!
//! Every error of the API is one of [`Code`], which fixes status and title; the detail says what
//! to do in this case, and `errors` names the fields that have to be different.

use axum::Json;
use axum::http::header::{ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use model::config::{Fault, FaultCode};
use serde::Serialize;
use store::{Blame, ChangeError, StoreError};
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $title:literal;)*) => {
        /// What kind of problem; fixes status and title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The kind in words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body isn't JSON.
    MalformedJson = 400, "The body is not JSON";
    /// The body ended before it was all there.
    Incomplete = 400, "The body ended early";
    /// The query string has a parameter that can't be read.
    InvalidQuery = 400, "A parameter of the query is not valid";
    /// A header can't be read.
    InvalidHeader = 400, "A header is not valid";
    /// No session, or one that has ended.
    NotLoggedIn = 401, "Not logged in";
    /// Name or password is wrong.
    WrongCredentials = 401, "Name or password is wrong";
    /// The role doesn't allow it.
    Forbidden = 403, "Your role does not allow this";
    /// The request comes from another site.
    CrossSite = 403, "The request comes from another site";
    /// There is no such object.
    NotFound = 404, "There is no such object";
    /// There is no such path.
    UnknownPath = 404, "There is no such path";
    /// The path has other methods.
    MethodNotAllowed = 405, "The path does not have this method";
    /// The password of the first account isn't set yet.
    FirstVisit = 409, "The password of Admin has to be set first";
    /// The password of the first account is set already.
    FirstVisitOver = 409, "The password of Admin is already set";
    /// It is right in itself, but not together with what is there.
    Conflict = 409, "It clashes with what is there";
    /// Another upgrade is received, written or tried.
    UpgradeUnderWay = 409, "An upgrade is under way";
    /// The object was changed since it was read.
    Changed = 412, "It was changed since you read it";
    /// The body is too large.
    TooLarge = 413, "The body is too large";
    /// The body has another type than JSON.
    UnsupportedMediaType = 415, "The body has to be JSON";
    /// The host name isn't one of this box.
    UnknownHost = 421, "This host name is not one of the box";
    /// Fields of the body aren't valid.
    Invalid = 422, "Some fields are not valid";
    /// A change without saying what it is based on.
    IfMatchRequired = 428, "Say which revision you change";
    /// Too many failed logins.
    TooManyAttempts = 429, "Too many failed logins";
    /// Too many event streams are open.
    TooManyStreams = 429, "Too many event streams are open";
    /// It failed for a reason that is in the Error log.
    Internal = 500, "It failed inside the box";
    /// The machine could not do it, for the reason that the detail says.
    SystemFailed = 500, "The machine could not do it";
    /// The machine under the exchange isn't administered from here.
    NoSystem = 503, "This machine is not administered here";
    /// The exchange doesn't answer.
    ExchangeUnreachable = 503, "The exchange does not answer";
    /// Too much at once.
    Busy = 503, "Too much to do at this moment";
    /// It took too long.
    Timeout = 503, "It took too long";
    /// The disk is full.
    DiskFull = 507, "The disk is full";
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldCode {
    /// It is not there.
    Missing,
    /// It is there twice.
    Duplicate,
    /// There is no such field.
    UnknownField,
    /// It is of another type.
    WrongType,
    /// It is none of the words there are.
    UnknownValue,
    /// It has another form.
    Invalid,
    /// It is too long.
    TooLong,
    /// It is too low or too high.
    OutOfRange,
    /// It is no number.
    InvalidNumber,
    /// The number is already in the dial plan.
    NumberTaken,
    /// A name is empty, too long, or has characters it can't have.
    InvalidName,
    /// Another object has the name.
    NameTaken,
    /// It is no e-mail address.
    InvalidEmail,
    /// The text is too long or has more than a line.
    InvalidText,
    /// There is no such object.
    UnknownReference,
    /// The password is too short or too long, or has characters it can't have.
    WeakPassword,
    /// The password is among the first that are tried.
    CommonPassword,
    /// The password is the name, or the name backwards.
    PasswordIsName,
    /// The password is not the one there is.
    WrongPassword,
    /// No codec, or one twice.
    InvalidCodecs,
    /// There are more than the exchange holds.
    TooMany,
    /// It is an emergency number.
    EmergencyNumber,
    /// Calls would go round in a circle.
    Circle,
    /// Nobody would be left who may change the configuration.
    LastAdministrator,
}

/// A field that has to be different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the body, or `?` and the name of a query parameter.
    #[schema(example = "/number")]
    pub pointer: String,
    /// For programs and translation.
    pub code: FieldCode,
    /// What is wrong and what to do.
    #[schema(example = "122 is already in the dial plan: choose another number")]
    pub detail: String,
}

/// An answer that says what is wrong and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_s: Option<u64>,
    etag: Option<String>,
    changed_by: Option<String>,
}

/// A problem as it is written (RFC 9457, `application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Identifies the kind: where it is described.
    #[schema(example = "/api/v1/problems#invalid")]
    r#type: String,
    /// The kind in words.
    #[schema(example = "Some fields are not valid")]
    title: String,
    /// The HTTP status again.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong in this case, and what to do.
    #[schema(example = "Correct the fields listed in errors and send it again.")]
    detail: String,
    /// The kind for programs.
    code: Code,
    /// The fields that have to be different.
    errors: Vec<FieldError>,
    /// With `changed`: the revision there is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    current_etag: Option<String>,
    /// With `changed`: who changed it last, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    changed_by: Option<String>,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(pointer: impl Into<String>, code: FieldCode, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code,
            detail: detail.into(),
        }
    }
}

impl From<FaultCode> for FieldCode {
    fn from(code: FaultCode) -> Self {
        match code {
            FaultCode::NumberTaken => Self::NumberTaken,
            FaultCode::InvalidNumber => Self::InvalidNumber,
            FaultCode::InvalidName => Self::InvalidName,
            FaultCode::NameTaken => Self::NameTaken,
            FaultCode::InvalidEmail => Self::InvalidEmail,
            FaultCode::UnknownReference => Self::UnknownReference,
            FaultCode::WeakPassword => Self::WeakPassword,
            FaultCode::InvalidCodecs => Self::InvalidCodecs,
            FaultCode::OutOfRange => Self::OutOfRange,
            FaultCode::InvalidText => Self::InvalidText,
            FaultCode::TooMany => Self::TooMany,
            FaultCode::EmergencyNumber => Self::EmergencyNumber,
            FaultCode::Circle => Self::Circle,
            FaultCode::LastAdministrator => Self::LastAdministrator,
        }
    }
}

impl Problem {
    /// A problem of this kind; `detail` says what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            etag: None,
            changed_by: None,
        }
    }

    /// Fields of a body that have to be different.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(
            Code::Invalid,
            "Correct the fields listed in errors and send it again.",
        );
        problem.errors = errors;
        problem
    }

    /// Fields of a body that something else stands against.
    #[must_use]
    pub fn conflict(errors: Vec<FieldError>) -> Self {
        Self {
            code: Code::Conflict,
            ..Self::invalid(errors)
        }
    }

    /// It is another one than was seen.
    pub fn changed() -> Self {
        Self::new(
            Code::Changed,
            "Read it again, look at what is different, and send your change once more.",
        )
    }

    /// One field of a body that has to be different.
    pub fn field(pointer: &str, code: FieldCode, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError::new(pointer, code, detail)])
    }

    /// What the store refuses, where the objects of several operations came in one body: `places` says
    /// where in it each has its fields.
    #[must_use]
    pub fn of_change(error: ChangeError, places: &[String]) -> Self {
        match error {
            ChangeError::Faults { faults, objects } => Self::of_faults(faults, &objects, places),
            error => error.into(),
        }
    }

    fn of_faults(faults: Vec<Fault>, objects: &[Option<String>], places: &[String]) -> Self {
        let clash = faults.iter().all(|fault| is_clash(fault.code));
        let pointer = |path: &str| {
            objects.iter().enumerate().find_map(|(index, object)| {
                let rest = rest_in(object.as_deref().unwrap_or_default(), path)?;
                match places.get(index) {
                    Some(place) => Some(format!("{place}{rest}")),
                    None => (index == 0).then(|| rest.to_owned()),
                }
            })
        };
        let errors = (faults.into_iter())
            .map(|fault| FieldError {
                pointer: pointer(&fault.path).unwrap_or_default(),
                code: fault.code.into(),
                detail: fault.text,
            })
            .collect();
        if clash {
            Self::conflict(errors)
        } else {
            Self::invalid(errors)
        }
    }

    /// There is no such `thing`.
    #[must_use]
    pub fn not_found(thing: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("There is no such {thing}: it may have been removed. Read the list again."),
        )
    }

    /// It failed for a reason the Error log has.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "Try again; if it stays so, the Error log says more.",
        )
    }

    /// Adds the fields concerned.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Says which revision the object has now, and who made it.
    #[must_use]
    pub fn with_current(mut self, etag: String, changed_by: Option<String>) -> Self {
        self.etag = Some(etag);
        self.changed_by = changed_by;
        self
    }

    /// The fields concerned, where the body stands at `place` in a larger one.
    #[must_use]
    pub fn into_errors(self, place: &str) -> Vec<FieldError> {
        let at = |error: FieldError| FieldError {
            pointer: format!("{place}{}", error.pointer),
            ..error
        };
        self.errors.into_iter().map(at).collect()
    }

    /// The kind.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Self::invalid(vec![error])
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match (&error, error.blame()) {
            (StoreError::DiskFull, _) => Self::new(
                Code::DiskFull,
                "Make room: remove recordings or old history, then try again.",
            ),
            (_, Blame::Moment) => {
                Self::new(Code::Busy, "The store is busy: try again.").retry_after(1)
            }
            _ => {
                tracing::error!(%error, "The store failed.");
                Self::internal()
            }
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Faults { faults, objects } => Self::of_faults(faults, &objects, &[]),
            ChangeError::Conflict { current } => {
                Self::changed().with_current(crate::revision::etag(current), None)
            }
            ChangeError::NotFound(thing) => Self::not_found(thing),
            ChangeError::AlreadySet => Self::new(
                Code::FirstVisitOver,
                "Log in as Admin with the password that was set.",
            ),
            ChangeError::Store(error) => error.into(),
            other => {
                tracing::error!(error = %other, "The store refused a change.");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ProblemBody {
            r#type: format!("/api/v1/problems#{}", word(&self.code)),
            title: self.code.title().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            code: self.code,
            errors: self.errors,
            current_etag: self.etag.clone(),
            changed_by: self.changed_by,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            axum::http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(Ok(etag)) = self.etag.map(|etag| HeaderValue::from_str(&etag)) {
            headers.insert(ETAG, etag);
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2: a 401 names a scheme. No browser asks for this one by itself.
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Session"));
        }
        response
    }
}

/// The word an enum is serialised as.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// True for what depends on other objects too; the rest is wrong whatever else there is.
const fn is_clash(code: FaultCode) -> bool {
    match code {
        FaultCode::NumberTaken
        | FaultCode::NameTaken
        | FaultCode::UnknownReference
        | FaultCode::EmergencyNumber
        | FaultCode::Circle
        | FaultCode::LastAdministrator
        | FaultCode::TooMany => true,
        FaultCode::InvalidName
        | FaultCode::InvalidNumber
        | FaultCode::InvalidEmail
        | FaultCode::WeakPassword
        | FaultCode::InvalidCodecs
        | FaultCode::OutOfRange
        | FaultCode::InvalidText => false,
    }
}

/// The way from an object to what is in it.
fn rest_in<'a>(object: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(object)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_goes_from_the_object_that_was_sent() {
        assert_eq!(rest_in("/users/4", "/users/4/name"), Some("/name"));
        assert_eq!(rest_in("/users/4", "/users/41/name"), None);
        assert_eq!(rest_in("", "/general/country"), Some("/general/country"));
    }
}
