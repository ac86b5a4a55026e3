//! Messages in the manner of desk phones: as long as theirs are, headers and all.

use std::net::SocketAddr;

use crate::load::message::finish;

/// What a request of a phone is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// INVITE and so on.
    pub method: &'a str,
    /// Request-URI.
    pub uri: &'a str,
    /// The phone's address.
    pub here: SocketAddr,
    /// The exchange's.
    pub exchange: SocketAddr,
    /// The phone's extension.
    pub user: &'a str,
    /// To, as it stands in the header.
    pub to: &'a str,
    /// Call-ID; tag and branch are made of it.
    pub id: &'a str,
    /// Number of the request.
    pub cseq: u32,
    /// Further headers, each with its line end.
    pub extra: &'a str,
    /// Session description.
    pub body: &'a str,
}

/// A request.
pub fn request(parts: &Parts<'_>) -> String {
    let Parts {
        method,
        uri,
        here,
        exchange,
        user,
        to,
        id,
        cseq,
        extra,
        body,
    } = parts;
    let head = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-{id}-{cseq}-{method};rport\r\nMax-Forwards: 70\r\nFrom: \"User {user}\" <sip:{user}@{exchange}>;tag=f{id}\r\nTo: {to}\r\nCall-ID: {id}@{}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{user}@{here};transport=udp>\r\nUser-Agent: Deskphone T46 66.86.0.15\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, REFER, UPDATE, MESSAGE\r\nSupported: replaces, timer, 100rel\r\nAccept: application/sdp\r\n{extra}",
        here.ip()
    );
    finish(head, body)
}

/// An offer of a dozen lines.
pub fn offer(here: SocketAddr, port: u16) -> String {
    let ip = here.ip();
    format!(
        "v=0\r\no=- 20017 20017 IN IP4 {ip}\r\ns=SDP data\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 0 9 18 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}

/// An answer with one codec.
pub fn answer(here: SocketAddr, port: u16) -> String {
    let ip = here.ip();
    format!(
        "v=0\r\no=- 30017 30017 IN IP4 {ip}\r\ns=SDP data\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    )
}
