//! Dialogs: the state both ends share (RFC 3261 §12).
//!
//! A dialog makes the requests of our end and judges the numbers of the peer's. Requests go back on
//! the flow that the peer was last heard on, whatever its Contact says: so they pass NAT, and use the
//! connection that is open (RFC 5923).

use model::{ExtensionId, Flow, KeptDialog};

use crate::endpoint::limits::ROUTES;
use crate::endpoint::{Values, are_short, fits};
use crate::message::{
    CSeq, Contacts, Essentials, HeaderName, HeaderValue, Headers, Method, NameAddr, Request,
    Response, Uri,
};
use crate::registrar::Phone;

/// How far a request after a restart counts ahead of the last number that was kept: those since are not.
/// A request a second for eleven days, and no number runs over (RFC 3261 §8.1.1.5).
const UNKEPT: u32 = 1_000_000;

/// What a peer can do, as its last message with such fields said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// UPDATE is in `Allow` (RFC 3311 §4).
    pub(crate) update: bool,
    /// `100rel` is supported (RFC 3262).
    pub(crate) reliable: bool,
    /// `timer` is supported (RFC 4028).
    pub(crate) timer: bool,
    /// `norefersub` is supported (RFC 4488).
    pub(crate) norefersub: bool,
}

impl Abilities {
    /// Reads `Allow` and `Supported`, where they are there. Element by element, without a copy: every
    /// message of a call passes here.
    pub(crate) fn learn(&mut self, headers: &Headers) {
        if headers.contains(&HeaderName::Allow) {
            self.update = headers
                .elements(&HeaderName::Allow)
                .any(|method| method == b"UPDATE");
        }
        if headers.contains(&HeaderName::Supported) {
            (self.reliable, self.timer, self.norefersub) = (false, false, false);
            headers
                .elements(&HeaderName::Supported)
                .for_each(|tag| self.support(tag));
        }
        headers
            .elements(&HeaderName::Require)
            .for_each(|tag| self.support(tag));
    }

    const fn support(&mut self, tag: &[u8]) {
        if tag.eq_ignore_ascii_case(b"100rel") {
            self.reliable = true;
        } else if tag.eq_ignore_ascii_case(b"timer") {
            self.timer = true;
        } else if tag.eq_ignore_ascii_case(b"norefersub") {
            self.norefersub = true;
        }
    }
}

/// A dialog, early or confirmed.
#[derive(Clone, Debug)]
pub(crate) struct Dialog {
    /// Call-ID.
    pub(crate) call_id: HeaderValue,
    /// Our From or To, with tag.
    pub(crate) local: HeaderValue,
    /// The peer's To or From, with tag where it gave one.
    pub(crate) remote: HeaderValue,
    /// The peer's tag; empty for a peer of RFC 2543 (RFC 3261 §12.1.1).
    pub(crate) remote_tag: Box<str>,
    /// Number of our last request.
    pub(crate) local_seq: u32,
    /// Number of the peer's last request.
    pub(crate) remote_seq: Option<u32>,
    /// Where requests go: the peer's Contact.
    pub(crate) target: Uri,
    /// The proxies that want to see requests.
    pub(crate) routes: Vec<Uri>,
    /// The way of octets.
    pub(crate) flow: Flow,
    /// What the peer can do.
    pub(crate) peer: Abilities,
    /// `RSeq` of the peer's last reliable provisional response (RFC 3262 §4).
    pub(crate) peer_rseq: Option<u32>,
    /// A reliable provisional response answered our offer in it.
    pub(crate) answered: bool,
}

impl Dialog {
    /// The dialog that an INVITE from a peer makes (RFC 3261 §12.1.1).
    pub(crate) fn as_callee(
        request: &Request,
        essentials: &Essentials,
        flow: Flow,
        tag: &str,
    ) -> Self {
        let mut peer = Abilities::default();
        peer.learn(&request.headers);
        Self {
            call_id: HeaderValue::from(&essentials.call_id),
            local: HeaderValue::from(essentials.to.clone().with_tag(tag)),
            remote: raw(&request.headers, &HeaderName::From),
            remote_tag: essentials.from.tag().unwrap_or_default().into(),
            local_seq: 0,
            remote_seq: Some(essentials.cseq.seq),
            target: contact(&request.headers).unwrap_or_else(|| essentials.from.uri.clone()),
            routes: record_routes(&request.headers),
            flow,
            peer,
            peer_rseq: None,
            answered: false,
        }
    }

    /// The dialog that a response to our INVITE makes (RFC 3261 §12.1.2).
    pub(crate) fn as_caller(invite: &Request, response: &Response, flow: Flow) -> Option<Self> {
        let to = response.headers.to().ok()?;
        let mut peer = Abilities::default();
        peer.learn(&response.headers);
        let mut routes = record_routes(&response.headers);
        routes.reverse();
        Some(Self {
            call_id: raw(&invite.headers, &HeaderName::CallId),
            local: raw(&invite.headers, &HeaderName::From),
            remote: raw(&response.headers, &HeaderName::To),
            remote_tag: to.tag().unwrap_or_default().into(),
            local_seq: invite.headers.cseq().ok()?.seq,
            remote_seq: None,
            target: contact(&response.headers).unwrap_or_else(|| invite.uri.clone()),
            routes,
            flow,
            peer,
            peer_rseq: None,
            answered: false,
        })
    }

    /// A provisional response made the dialog, and this 2xx confirms it: its route set and target
    /// count (RFC 3261 §13.2.2.4).
    pub(crate) fn confirm(&mut self, response: &Response) {
        self.routes = record_routes(&response.headers);
        self.routes.reverse();
        self.refresh(&response.headers);
    }

    /// Target refresh (RFC 3261 §12.2), and what the peer says it can do.
    pub(crate) fn refresh(&mut self, headers: &Headers) {
        if let Some(contact) = contact(headers) {
            self.target = contact;
        }
        self.peer.learn(headers);
    }

    /// Takes the number of a request from the peer; false where it is out of order (RFC 3261 §12.2.2).
    pub(crate) fn take_seq(&mut self, seq: u32) -> bool {
        if self.remote_seq.is_some_and(|last| seq <= last) {
            return false;
        }
        self.remote_seq = Some(seq);
        true
    }

    /// The next request of our end (RFC 3261 §12.2.1.1).
    pub(crate) fn request(&mut self, method: Method, values: &Values) -> Request {
        let seq = self.next_seq();
        self.numbered(method, seq, values)
    }

    /// The number of the next request of our end.
    pub(crate) const fn next_seq(&mut self) -> u32 {
        self.local_seq = self.local_seq.saturating_add(1);
        self.local_seq
    }

    /// A request with a number given: ACK has that of its INVITE (RFC 3261 §13.2.2.4).
    pub(crate) fn numbered(&self, method: Method, seq: u32, values: &Values) -> Request {
        let (uri, routes) = self.way();
        let mut request = Request::new(method.clone(), uri);
        let headers = &mut request.headers;
        headers.push(HeaderName::MaxForwards, values.max_forwards.clone());
        headers.push(HeaderName::From, self.local.clone());
        headers.push(HeaderName::To, self.remote.clone());
        headers.push(HeaderName::CallId, self.call_id.clone());
        headers.push(HeaderName::CSeq, CSeq::new(seq, method));
        for route in routes {
            headers.push(HeaderName::Route, NameAddr::new(route));
        }
        headers.push(HeaderName::UserAgent, values.product.clone());
        request
    }

    /// What ending it after a restart takes; with the phone at its other end, where one is known.
    pub(crate) fn kept(&self, extension: Option<ExtensionId>, phone: Option<&Phone>) -> KeptDialog {
        KeptDialog {
            extension,
            instance: phone.and_then(Phone::instance).map(str::to_owned),
            flow: self.flow,
            call_id: self.call_id.to_text(),
            local: self.local.to_text(),
            remote: self.remote.to_text(),
            target: self.target.to_string(),
            routes: self.routes.iter().map(Uri::to_string).collect(),
            seq: self.local_seq,
        }
    }

    /// A dialog of before a restart, good for a BYE; none where what was kept can't be read any more.
    pub(crate) fn restored(kept: &KeptDialog) -> Option<Self> {
        let routes = kept.routes.iter().map(|uri| uri.parse().ok());
        Some(Self {
            call_id: HeaderValue::from(kept.call_id.as_str()),
            local: HeaderValue::from(kept.local.as_str()),
            remote: HeaderValue::from(kept.remote.as_str()),
            remote_tag: Box::default(),
            local_seq: kept.seq.saturating_add(UNKEPT),
            remote_seq: None,
            target: kept.target.parse().ok()?,
            routes: routes.collect::<Option<_>>()?,
            flow: kept.flow,
            peer: Abilities::default(),
            peer_rseq: None,
            answered: false,
        })
    }

    /// Who gets requests first.
    pub(crate) fn next_hop(&self) -> &Uri {
        self.routes.first().unwrap_or(&self.target)
    }

    /// Request-URI and Route: loose as a rule, strict where the first proxy is of RFC 2543.
    fn way(&self) -> (Uri, Vec<Uri>) {
        match self.routes.split_first() {
            Some((first, rest)) if !is_loose(first) => {
                let mut routes = rest.to_vec();
                routes.push(self.target.clone());
                (first.clone(), routes)
            }
            Some(_) | None => (self.target.clone(), self.routes.clone()),
        }
    }
}

/// A response of ours that makes or keeps up a dialog: the peer's own To, tagged.
pub(crate) fn tag_response(response: &mut Response, local: &HeaderValue) {
    response.headers.set(HeaderName::To, local.clone());
}

/// The first Contact, where it may be kept.
pub(crate) fn contact(headers: &Headers) -> Option<Uri> {
    match headers.contacts() {
        Ok(Contacts::List(list)) => list
            .into_iter()
            .next()
            .map(|contact| contact.uri)
            .filter(|uri| are_short(headers, &HeaderName::Contact) || fits(uri)),
        Ok(Contacts::Star) | Err(_) => None,
    }
}

fn record_routes(headers: &Headers) -> Vec<Uri> {
    if !headers.contains(&HeaderName::RecordRoute) {
        return Vec::new();
    }
    let short = are_short(headers, &HeaderName::RecordRoute);
    let routes = headers.record_routes().unwrap_or_default();
    routes
        .into_iter()
        .take(ROUTES)
        .map(|route| route.uri)
        .filter(|uri| short || fits(uri))
        .collect()
}

fn raw(headers: &Headers, name: &HeaderName) -> HeaderValue {
    headers
        .raw(name)
        .cloned()
        .unwrap_or_else(|| HeaderValue::from(""))
}

fn is_loose(uri: &Uri) -> bool {
    match uri {
        Uri::Sip(uri) => uri.is_loose_router(),
        Uri::Tel(_) | Uri::Other(_) => true,
    }
}
