//! The phone's messages: read and built with rsip, another implementation than the exchange's.
//!
//! Where rsip has no type (Replaces, Session-Expires, RSeq…) the raw header text is used.

use rsip::headers::ToTypedHeader;
use rsip::message::{HasHeaders, HeadersExt};
use rsip::{Header, Method, SipMessage};

/// A message that came.
#[derive(Clone, Debug)]
pub struct Msg {
    inner: SipMessage,
    fields: Vec<(String, String)>,
}

/// What every message must have, typed by rsip.
#[derive(Clone, Debug)]
pub struct Basics {
    /// Branch of the topmost Via.
    pub branch: String,
    /// From tag.
    pub from_tag: String,
    /// To tag.
    pub to_tag: Option<String>,
    /// `Call-ID`.
    pub call_id: String,
    /// `CSeq` number.
    pub seq: u32,
    /// `CSeq` method.
    pub method: Method,
}

impl Msg {
    /// Reads a datagram, or one message of a stream.
    ///
    /// # Errors
    /// What rsip says.
    pub fn parse(octets: &[u8]) -> Result<Self, String> {
        let inner = SipMessage::try_from(octets).map_err(|error| format!("{error:?}"))?;
        let fields = (inner.headers().iter())
            .filter_map(|header| {
                let text = header.to_string();
                let (name, value) = text.split_once(':')?;
                Some((name.to_owned(), value.trim().to_owned()))
            })
            .collect();
        Ok(Self { inner, fields })
    }

    /// What every message must have.
    ///
    /// # Errors
    /// What is missing, or what rsip can't read.
    pub fn basics(&self) -> Result<Basics, String> {
        let fault = |error: rsip::Error| format!("{error:?}");
        let via = self.inner.via_header().map_err(fault)?;
        let via = via.typed().map_err(fault)?;
        let from = self.inner.from_header().map_err(fault)?;
        let from = from.typed().map_err(fault)?;
        let to = self.inner.to_header().map_err(fault)?;
        let to = to.typed().map_err(fault)?;
        let cseq = self.inner.cseq_header().map_err(fault)?;
        let cseq = cseq.typed().map_err(fault)?;
        let call_id = self.inner.call_id_header().map_err(fault)?;
        Ok(Basics {
            branch: via.branch().ok_or("no branch")?.to_string_value(),
            from_tag: from.tag().ok_or("no From tag")?.to_string_value(),
            to_tag: to.tag().map(ToStringValue::to_string_value),
            call_id: call_id.to_string_value(),
            seq: cseq.seq,
            method: cseq.method,
        })
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.inner {
            SipMessage::Response(response) => Some(response.status_code.code()),
            SipMessage::Request(_) => None,
        }
    }

    /// The method of a request.
    #[must_use]
    pub const fn method(&self) -> Option<Method> {
        match &self.inner {
            SipMessage::Request(request) => Some(request.method),
            SipMessage::Response(_) => None,
        }
    }

    /// The first header field of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        (self.fields.iter())
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// All header fields of this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        (self.fields.iter())
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// True where a list header names the tag.
    #[must_use]
    pub fn lists(&self, name: &str, tag: &str) -> bool {
        self.headers(name)
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(tag))
    }

    /// The URI in Contact.
    #[must_use]
    pub fn contact(&self) -> Option<String> {
        Some(uri_of(self.header("Contact")?).to_owned())
    }

    /// The body as text.
    #[must_use]
    pub fn body(&self) -> String {
        String::from_utf8_lossy(self.inner.body()).into_owned()
    }
}

/// The URI of a name-addr or addr-spec.
#[must_use]
pub fn uri_of(value: &str) -> &str {
    match (value.find('<'), value.find('>')) {
        (Some(start), Some(end)) if start < end => &value[start + 1..end],
        _ => value.split(';').next().unwrap_or(value),
    }
}

/// A parameter of a header value.
#[must_use]
pub fn param<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|part| {
        let (found, value) = part.split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim())
    })
}

/// rsip's newtypes of text.
trait ToStringValue {
    fn to_string_value(&self) -> String;
}

impl ToStringValue for rsip::param::Branch {
    fn to_string_value(&self) -> String {
        self.value().to_owned()
    }
}

impl ToStringValue for rsip::param::Tag {
    fn to_string_value(&self) -> String {
        self.value().to_owned()
    }
}

impl ToStringValue for rsip::headers::CallId {
    fn to_string_value(&self) -> String {
        use rsip::headers::UntypedHeader;
        self.value().to_owned()
    }
}

/// A message to be built.
#[derive(Clone, Debug)]
pub struct Draft {
    start: Start,
    headers: rsip::Headers,
    body: Option<(String, String)>,
}

#[derive(Clone, Debug)]
enum Start {
    Request(Method, rsip::Uri),
    Response(u16),
}

impl Draft {
    /// A request.
    #[must_use]
    pub fn request(method: Method, uri: &str) -> Self {
        let uri = rsip::Uri::try_from(uri).expect("the phone's URIs are within rsip's");
        Self::new(Start::Request(method, uri))
    }

    /// A response to a request that came; the To tag is added where there is none.
    #[must_use]
    pub fn response(request: &Msg, status: u16, tag: &str) -> Self {
        let mut draft = Self::new(Start::Response(status));
        for (name, value) in &request.fields {
            let lower = name.to_ascii_lowercase();
            match lower.as_str() {
                "via" | "from" | "call-id" | "cseq" | "record-route" => draft.put(name, value),
                "to" if !value.contains(";tag=") && status > 100 => {
                    draft.put(name, &format!("{value};tag={tag}"));
                }
                "to" => draft.put(name, value),
                _ => {}
            }
        }
        draft
    }

    fn new(start: Start) -> Self {
        Self {
            start,
            headers: rsip::Headers::default(),
            body: None,
        }
    }

    fn put(&mut self, name: &str, value: &str) {
        let value = value.to_owned();
        let header: Header = match name.to_ascii_lowercase().as_str() {
            "via" => rsip::headers::Via::from(value).into(),
            "from" => rsip::headers::From::from(value).into(),
            "to" => rsip::headers::To::from(value).into(),
            "call-id" => rsip::headers::CallId::from(value).into(),
            "cseq" => rsip::headers::CSeq::from(value).into(),
            "contact" => rsip::headers::Contact::from(value).into(),
            "expires" => rsip::headers::Expires::from(value).into(),
            "max-forwards" => rsip::headers::MaxForwards::from(value).into(),
            "user-agent" => rsip::headers::UserAgent::from(value).into(),
            "authorization" => rsip::headers::Authorization::from(value).into(),
            "content-type" => rsip::headers::ContentType::from(value).into(),
            "content-length" => rsip::headers::ContentLength::from(value).into(),
            _ => Header::Other(name.to_owned(), value),
        };
        self.headers.push(header);
    }

    /// With one more header field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.put(name, value.as_ref());
        self
    }

    /// With one more header field where there is something to say.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, content_type: &str, text: impl Into<String>) -> Self {
        self.body = Some((content_type.to_owned(), text.into()));
        self
    }

    /// With a session description, where there is one.
    #[must_use]
    pub fn sdp(self, text: Option<String>) -> Self {
        match text {
            Some(text) => self.body("application/sdp", text),
            None => self,
        }
    }

    /// The printed message.
    #[must_use]
    pub fn octets(mut self) -> Vec<u8> {
        let (kind, text) = self.body.take().unzip();
        let body = text.unwrap_or_default().into_bytes();
        if let Some(kind) = kind {
            self.put("Content-Type", &kind);
        }
        self.put("Content-Length", &body.len().to_string());
        let message: SipMessage = match self.start {
            Start::Request(method, uri) => rsip::Request {
                method,
                uri,
                version: rsip::Version::V2,
                headers: self.headers,
                body,
            }
            .into(),
            Start::Response(status) => rsip::Response {
                status_code: status.into(),
                version: rsip::Version::V2,
                headers: self.headers,
                body,
            }
            .into(),
        };
        message.to_string().into_bytes()
    }
}
