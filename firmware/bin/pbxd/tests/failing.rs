//! A `pbxd` that can't go on.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

mod common;

use std::net::{Ipv4Addr, UdpSocket};

use platform::endings::Endings;

use common::Exchange;

#[test]
fn why_it_can_not_start_is_left_to_the_logs() {
    let mut exchange = Exchange::prepare();
    let _other = UdpSocket::bind((Ipv4Addr::LOCALHOST, exchange.sip)).expect("a free port");
    exchange.start();
    exchange.failed();
    let found = Endings::of(&exchange.path("")).found();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].process, "pbxd-last-words");
    let text = &found[0].text;
    assert!(
        text.starts_with("can't go on: SIP can't listen on port"),
        "{text}"
    );
}
