//! A stop in order, while phones are in a call over TLS: the real `pbxd` on loopback, with the phones of
//! its call to itself as other extensions.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

mod common;
#[expect(dead_code, reason = "the test uses its own part of this")]
#[path = "../src/self_call/client/phone.rs"]
mod phone;
#[path = "../src/self_call/client/wire.rs"]
mod wire;

use std::net::Ipv4Addr;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use model::{EndedBy, Secret};
use store::HistoryQuery;

use common::{Exchange, LONG, PHONE_PASSWORD};
use phone::{Identity, Phone};
use wire::Way;

/// A session description of one phone; nobody listens there.
fn sdp(port: u16) -> Bytes {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8\r\n"
    )
    .into()
}

#[test]
fn phones_over_tls_are_told_that_their_call_is_over() {
    let mut exchange = Exchange::prepare();
    exchange.start();
    exchange.wait_until_ready();
    let address = (Ipv4Addr::LOCALHOST, exchange.sips).into();
    let registered = |number: &'static str| {
        let identity = Identity {
            number: number.into(),
            username: number,
            password: Secret::new(PHONE_PASSWORD),
        };
        let until = Instant::now() + LONG;
        let mut phone = Phone::new(Way::Tls, address, identity, until).expect("connected");
        phone.register().expect("registered");
        phone
    };
    let (mut caller, mut called) = (registered("101"), registered("102"));
    let talking = Barrier::new(3);
    thread::scope(|scope| {
        scope.spawn(|| {
            caller.call("102", &sdp(9000)).expect("answered");
            talking.wait();
            caller.wait_for_end().expect("the caller is told");
        });
        scope.spawn(|| {
            called.take_call(|_| Ok(sdp(9002))).expect("called");
            talking.wait();
            called.wait_for_end().expect("the called phone is told");
        });
        talking.wait();
        exchange.ask_to_stop();
    });
    let store = exchange.stopped();
    let ended: Vec<EndedBy> = (store.history_query(&HistoryQuery::default()).expect("read"))
        .iter()
        .map(|call| call.ended_by)
        .collect();
    assert_eq!(ended, [EndedBy::Stop]);
}
