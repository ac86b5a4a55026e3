//! What identifies a transaction (RFC 3261 §8.1.1.7, §17.1.3, §17.2.3).

use core::fmt::Write;

use crate::endpoint::Random;
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

/// The key of a request's server transaction. ACK has that of its INVITE.
///
/// Where the branch lacks the cookie, the client is one of RFC 2543, and the whole identity of the
/// request counts: Request-URI, From, Call-ID, `CSeq` number and topmost Via (§17.2.3). The To tag does
/// not: an ACK has one, its INVITE none.
pub(crate) fn server_key(request: &Request, via: &Via, call_id: &CallId, cseq: &CSeq) -> Box<str> {
    let method = match &cseq.method {
        Method::Ack => &Method::Invite,
        other => other,
    };
    keyed(request, via, call_id, cseq, method)
}

/// The key of the INVITE that a CANCEL is for (§9.2).
pub(crate) fn cancelled_key(
    request: &Request,
    via: &Via,
    call_id: &CallId,
    cseq: &CSeq,
) -> Box<str> {
    keyed(request, via, call_id, cseq, &Method::Invite)
}

fn keyed(request: &Request, via: &Via, call_id: &CallId, cseq: &CSeq, method: &Method) -> Box<str> {
    let mut key = String::with_capacity(96);
    match via.cookie_branch() {
        Some(branch) => key.extend(branch.chars().map(|c| c.to_ascii_lowercase())),
        None => {
            let (uri, call_id, seq) = (&request.uri, call_id.as_str(), cseq.seq);
            let branch = via.branch().unwrap_or_default();
            // Writing to a string can't fail.
            let _ = write!(key, "{uri} {call_id} {seq} {branch}");
        }
    }
    key.push(' ');
    // Every message passes here: an address as a number is written in a third of the time.
    let _ = match &via.host {
        Host::V4(address) => write!(key, "{:x}", address.to_bits()),
        host @ (Host::V6(_) | Host::Name(_)) => write!(key, "{host}"),
    };
    let _ = write!(key, " {:x} ", via.port.unwrap_or_default());
    key.push_str(method.as_str());
    key.into()
}

/// What a request has in common with itself on another way (RFC 3261 §8.2.2.2).
pub(crate) fn merge_key(from_tag: &str, call_id: &CallId, cseq: &CSeq) -> Box<str> {
    format!(
        "{from_tag} {} {} {}",
        call_id.as_str(),
        cseq.seq,
        cseq.method
    )
    .into()
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
