//! What identifies a transaction (RFC 3261 §8.1.1.7, §17.1.3, §17.2.3).

use core::fmt::{self, Write};
use core::hash::{BuildHasher, Hash, Hasher};
use std::hash::DefaultHasher;

use crate::endpoint::{Random, Seeded};
use crate::message::{CSeq, CallId, Host, Method, Request, Via};

use super::ClientId;

/// Parts a branch of ours into chance and number.
const MARK: char = '.';
/// Of five bits each; nobody guesses 60 bits within 32 seconds.
const CHANCE: usize = 12;

/// A branch of ours: cookie, chance, number.
pub(crate) fn branch_with_cookie(random: &mut Random, id: ClientId) -> Box<str> {
    let mut branch = String::with_capacity(32);
    branch.push_str(Via::COOKIE);
    random.token(CHANCE, &mut branch);
    branch.push(MARK);
    // Writing to a string can't fail.
    let _ = write!(branch, "{:x}", id.0);
    branch.into()
}

/// The number in a token of ours: hexadecimal, after the last mark.
pub(crate) fn number_in(token: &str) -> Option<u64> {
    let (_, number) = token.rsplit_once(MARK)?;
    // `from_str_radix` would take a sign.
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(number, 16).ok()
}

/// Stands for an identity, whatever its length: 128 bits of SipHash under two secrets, so that nobody
/// can find two identities with one key, nor aim at one place of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(u64, u64);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

/// Makes keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys(Seeded, Seeded);

impl Keys {
    pub(crate) fn new(random: &Random) -> Self {
        Self(
            Seeded::new(random.derive("keys of transactions, first half")),
            Seeded::new(random.derive("keys of transactions, second half")),
        )
    }

    fn writer(self) -> KeyWriter {
        KeyWriter(self.0.build_hasher(), self.1.build_hasher())
    }
}

/// Takes the text of an identity.
struct KeyWriter(DefaultHasher, DefaultHasher);

impl KeyWriter {
    fn octets(&mut self, octets: &[u8]) {
        self.0.write(octets);
        self.1.write(octets);
    }

    fn key(self) -> Key {
        Key(self.0.finish(), self.1.finish())
    }
}

impl Write for KeyWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.octets(text.as_bytes());
        Ok(())
    }
}

/// The key of a request's server transaction. ACK has that of its INVITE.
///
/// Where the branch lacks the cookie, the client is one of RFC 2543, and the whole identity of the
/// request counts: Request-URI, From, Call-ID, `CSeq` number and topmost Via (§17.2.3). The To tag does
/// not: an ACK has one, its INVITE none.
pub(crate) fn server_key(
    keys: Keys,
    request: &Request,
    via: &Via,
    call_id: &CallId,
    cseq: &CSeq,
) -> Key {
    let method = match &cseq.method {
        Method::Ack => &Method::Invite,
        other => other,
    };
    keyed(keys, request, via, call_id, cseq, method)
}

/// The key of the INVITE that a CANCEL is for (§9.2).
pub(crate) fn cancelled_key(
    keys: Keys,
    request: &Request,
    via: &Via,
    call_id: &CallId,
    cseq: &CSeq,
) -> Key {
    keyed(keys, request, via, call_id, cseq, &Method::Invite)
}

fn keyed(
    keys: Keys,
    request: &Request,
    via: &Via,
    call_id: &CallId,
    cseq: &CSeq,
    method: &Method,
) -> Key {
    let mut key = keys.writer();
    // No part holds a space: none can be taken for the end of another.
    match via.cookie_branch() {
        Some(branch) => {
            let mut lower = [0; 64];
            for part in branch.as_bytes().chunks(lower.len()) {
                let lower = &mut lower[..part.len()];
                lower.copy_from_slice(part);
                lower.make_ascii_lowercase();
                key.octets(lower);
            }
        }
        None => {
            let (uri, call_id, seq) = (&request.uri, call_id.as_str(), cseq.seq);
            let branch = via.branch().unwrap_or_default();
            // Writing to a key can't fail.
            let _ = write!(key, "{uri} {call_id} {seq} {branch}");
        }
    }
    key.octets(b" ");
    match &via.host {
        Host::V4(address) => key.octets(&address.octets()),
        // Writing to a key can't fail.
        host @ (Host::V6(_) | Host::Name(_)) => {
            let _ = write!(key, "{host}");
        }
    }
    key.octets(b" ");
    key.octets(&via.port.unwrap_or_default().to_be_bytes());
    key.octets(method.as_str().as_bytes());
    key.key()
}

/// What a request has in common with itself on another way (RFC 3261 §8.2.2.2).
pub(crate) fn merge_key(keys: Keys, from_tag: &str, call_id: &CallId, cseq: &CSeq) -> Key {
    let mut key = keys.writer();
    for part in [from_tag, call_id.as_str(), cseq.method.as_str()] {
        key.octets(part.as_bytes());
        key.octets(b" ");
    }
    key.octets(&cseq.seq.to_be_bytes());
    key.key()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_holds_its_number() {
        let mut random = Random::new([7; 32]);
        let branch = branch_with_cookie(&mut random, ClientId(0xbeef));
        assert!(branch.starts_with("z9hG4bK"));
        assert_eq!(number_in(&branch), Some(0xbeef));
    }

    #[test]
    fn a_strange_branch_holds_none() {
        for branch in [
            "",
            ".",
            "z9hG4bK",
            "z9hG4bKx.",
            "z9hG4bK.+1",
            "z9hG4bK.10000000000000000",
        ] {
            assert_eq!(number_in(branch), None, "{branch}");
        }
    }
}
