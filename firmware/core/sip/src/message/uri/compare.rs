//! When two URIs mean the same (RFC 3261 §19.1.4, RFC 3966 §4).

use super::super::percent::characters;
use super::{SipUri, TelUri, Uri, UriParams};

pub(super) fn uris(a: &Uri, b: &Uri) -> bool {
    match (a, b) {
        (Uri::Sip(a), Uri::Sip(b)) => sip(a, b),
        (Uri::Tel(a), Uri::Tel(b)) => tel(a, b),
        (Uri::Other(a), Uri::Other(b)) => a == b,
        (Uri::Sip(_) | Uri::Tel(_) | Uri::Other(_), _) => false,
    }
}

fn sip(a: &SipUri, b: &SipUri) -> bool {
    a.secure == b.secure
        && same_option(a.raw_user(), b.raw_user(), same)
        && same_option(a.raw_password(), b.raw_password(), same)
        && a.host == b.host
        && a.port == b.port
        && all_params(&a.params, &b.params, sip_params)
        && all_headers(a, b)
}

/// Both ways; of very many only those written alike are the same.
fn all_params(a: &UriParams, b: &UriParams, compare: fn(&UriParams, &UriParams) -> bool) -> bool {
    if are_many(a.iter(), b.iter()) {
        return a == b;
    }
    compare(a, b) && compare(b, a)
}

fn all_headers(a: &SipUri, b: &SipUri) -> bool {
    if are_many(a.raw_headers(), b.raw_headers()) {
        return a.raw_headers().eq(b.raw_headers());
    }
    headers(a, b) && headers(b, a)
}

/// Parameters and headers that are compared one with each other. Whoever sends more than any URI in
/// use has must not have us work by the square of it.
const COMPARED: usize = 32;

fn are_many(mut a: impl Iterator, mut b: impl Iterator) -> bool {
    a.nth(COMPARED).is_some() || b.nth(COMPARED).is_some()
}

/// Each parameter of `a` that is in both has the same value, and those are in both that make a
/// difference by being there.
fn sip_params(a: &UriParams, b: &UriParams) -> bool {
    a.iter().all(|(name, _)| match find(b, name) {
        Some(other) => same_option(first(a, name), other, same_ignoring_case),
        None => !["user", "ttl", "method", "maddr", "transport"]
            .iter()
            .any(|decisive| decisive.eq_ignore_ascii_case(name)),
    })
}

fn headers(a: &SipUri, b: &SipUri) -> bool {
    a.raw_headers().all(|(name, value)| {
        b.raw_headers()
            .any(|(other, theirs)| same_ignoring_case(name, other) && same(value, theirs))
    })
}

fn tel(a: &TelUri, b: &TelUri) -> bool {
    a.digits().eq_ignore_ascii_case(&b.digits()) && all_params(&a.params, &b.params, tel_params)
}

fn tel_params(a: &UriParams, b: &UriParams) -> bool {
    a.iter().all(|(name, _)| {
        find(b, name).is_some_and(|other| same_option(first(a, name), other, same_ignoring_case))
    })
}

/// Of a parameter given twice the first counts.
fn first<'a>(params: &'a UriParams, name: &str) -> Option<&'a str> {
    find(params, name).flatten()
}

fn find<'a>(params: &'a UriParams, name: &str) -> Option<Option<&'a str>> {
    params
        .iter()
        .find(|(own, _)| same_ignoring_case(own, name))
        .map(|(_, value)| value)
}

fn same_option(a: Option<&str>, b: Option<&str>, same: fn(&str, &str) -> bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Escaped and plain are the same, but for reserved characters: those mean something unescaped.
fn same(a: &str, b: &str) -> bool {
    characters(a).map(meaning).eq(characters(b).map(meaning))
}

fn same_ignoring_case(a: &str, b: &str) -> bool {
    let fold = |(byte, escaped): (u8, bool)| meaning((byte.to_ascii_lowercase(), escaped));
    characters(a).map(fold).eq(characters(b).map(fold))
}

const fn meaning((byte, escaped): (u8, bool)) -> (u8, bool) {
    let reserved = matches!(
        byte,
        b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b','
    );
    (byte, escaped && reserved)
}
