//! SIP messages of the load generator: text put together and looked into, as little as it takes.

use std::net::SocketAddr;

use md5::{Digest, Md5};

/// A message that came, and where its parts are.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    text: &'a str,
}

impl<'a> Incoming<'a> {
    /// Takes the text of a datagram.
    pub fn new(octets: &'a [u8]) -> Option<Self> {
        std::str::from_utf8(octets).ok().map(|text| Self { text })
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        self.text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
    }

    /// The method of a request, or the one a response answers.
    pub fn method(&self) -> &'a str {
        if self.text.starts_with("SIP/2.0") {
            self.header("CSeq")
                .and_then(|value| value.split_whitespace().nth(1))
                .unwrap_or_default()
        } else {
            self.text.split(' ').next().unwrap_or_default()
        }
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers(name).next()
    }

    /// All headers of this name.
    pub fn headers<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let (head, _) = self.text.split_once("\r\n\r\n").unwrap_or((self.text, ""));
        head.split("\r\n").skip(1).filter_map(move |line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The port of the session description's audio.
    pub fn audio_port(&self) -> Option<u16> {
        let (_, after) = self.text.split_once("m=audio ")?;
        after.split(' ').next()?.parse().ok()
    }

    /// What stands between `<` and `>` in Contact.
    pub fn contact(&self) -> Option<&'a str> {
        let (_, after) = self.header("Contact")?.split_once('<')?;
        after.split('>').next()
    }
}

/// A response to a request, by RFC 3261 §8.2.6.
pub fn response(request: &Incoming<'_>, line: &str, tag: &str, extra: &str, body: &str) -> String {
    let mut out = format!("SIP/2.0 {line}\r\n");
    for via in request.headers("Via") {
        out.push_str(&format!("Via: {via}\r\n"));
    }
    for route in request.headers("Record-Route") {
        out.push_str(&format!("Record-Route: {route}\r\n"));
    }
    let to = request.header("To").unwrap_or_default();
    let tag = if to.contains(";tag=") || line.starts_with("100") {
        String::new()
    } else {
        format!(";tag={tag}")
    };
    for name in ["From", "Call-ID", "CSeq"] {
        let value = request.header(name).unwrap_or_default();
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str(&format!("To: {to}{tag}\r\n{extra}"));
    finish(out, body)
}

/// Adds what ends a message.
pub fn finish(mut head: String, body: &str) -> String {
    if !body.is_empty() {
        head.push_str("Content-Type: application/sdp\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    head
}

/// An offer or answer of A-law at an address.
pub fn sdp(address: SocketAddr) -> String {
    let ip = address.ip();
    let port = address.port();
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=ptime:20\r\n"
    )
}

/// The Authorization value for an MD5 challenge with qop=auth (RFC 7616 §3.4).
pub fn authorization(
    challenge: &str,
    username: &str,
    password: &str,
    method: &str,
    uri: &str,
) -> Option<String> {
    let realm = parameter(challenge, "realm")?;
    let nonce = parameter(challenge, "nonce")?;
    let opaque = parameter(challenge, "opaque")
        .map(|opaque| format!(", opaque=\"{opaque}\""))
        .unwrap_or_default();
    let secret = hash(&format!("{username}:{realm}:{password}"));
    let request = hash(&format!("{method}:{uri}"));
    let response = hash(&format!(
        "{secret}:{nonce}:00000001:0a4f113b:auth:{request}"
    ));
    Some(format!(
        "Digest username=\"{username}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", algorithm=MD5, cnonce=\"0a4f113b\", qop=auth, nc=00000001{opaque}"
    ))
}

fn parameter<'a>(challenge: &'a str, name: &str) -> Option<&'a str> {
    let (_, after) = challenge.split_once(&format!("{name}=\""))?;
    after.split('"').next()
}

fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes())
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}
