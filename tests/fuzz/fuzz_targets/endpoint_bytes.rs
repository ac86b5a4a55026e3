//! Any octets to an endpoint that holds a call, as datagrams and over a stream: nothing panics,
//! nothing grows without limit, and when all is over nothing is left.
//!
//! The input is a list of messages parted by a NUL octet and the octet after it: which way the message
//! comes, and how long after the one before.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{ExtensionId, Flow, Instant, Secret, Transport};
use sip::digest::DigestOffer;
use sip::endpoint::{
    Account, Endpoint, EndpointConfig, Event, Input, OutgoingInvite, Output, SessionId, Target,
};

fn flow(transport: Transport) -> Flow {
    Flow {
        transport,
        local: "192.0.2.1:5060".parse().expect("an address"),
        remote: "192.0.2.9:5060".parse().expect("an address"),
    }
}

fn endpoint() -> Endpoint {
    let config = EndpointConfig {
        realm: "box".to_owned(),
        digest: DigestOffer::Sha256ThenMd5,
        product: "Box".to_owned(),
        seed: [0; 32],
        expires_s: (60, 3600, 7200),
        session_expires_s: 1800,
        sessions: 2000,
        server_transactions: 50_000,
        streams: sip::endpoint::STREAMS,
    };
    let mut endpoint = Endpoint::new(Instant::ZERO, config);
    let account = Account {
        extension: ExtensionId::new(1),
        username: "100".to_owned(),
        password: Secret::new("secret"),
        aor_user: "100".to_owned(),
        loopback_only: false,
    };
    endpoint.set_accounts(Instant::ZERO, vec![account]);
    // Calls from this address need no digest, so that the fuzzer gets past it.
    endpoint.set_trusted([flow(Transport::Udp).remote.ip()]);
    endpoint
}

/// The exchange says yes to all.
fn obey(endpoint: &mut Endpoint, now: Instant, sessions: &mut Vec<SessionId>) {
    let mut outputs = 0;
    while let Some(output) = endpoint.poll_output() {
        outputs += 1;
        assert!(outputs < 10_000, "one input, endless outputs");
        let Output::Event(event) = output else {
            continue;
        };
        match event {
            Event::Invited { session, .. } => {
                sessions.push(session);
                endpoint.accept(now, session, "answer".into());
            }
            Event::Accepted {
                session,
                sdp: Some(_),
                ..
            }
            | Event::Offered { session, .. } => endpoint.answer(now, session, "answer".into()),
            Event::Referred { refer, .. } => endpoint.accept_refer(now, refer),
            _ => {}
        }
    }
}

fuzz_target!(|octets: &[u8]| {
    let mut endpoint = endpoint();
    let mut now = Instant::ZERO;
    let mut sessions = Vec::new();
    let uri = "sip:100@192.0.2.9".parse().expect("a URI");
    let invite = OutgoingInvite {
        target: Target {
            uri,
            route: Vec::new(),
            flow: flow(Transport::Udp),
        },
        account: None,
        from_display: None,
        from_user: "200".to_owned(),
        from_host: None,
        to_user: "100".to_owned(),
        sdp: Some("offer".into()),
        headers: Vec::new(),
    };
    sessions.push(endpoint.invite(now, invite));
    obey(&mut endpoint, now, &mut sessions);
    let opened = Input::StreamOpened {
        flow: flow(Transport::Tcp),
    };
    endpoint.handle_input(now, opened.clone());
    for message in octets.split(|&octet| octet == 0).take(64) {
        let Some((&first, rest)) = message.split_first() else {
            continue;
        };
        let bytes = bytes(rest);
        now = Instant::from_micros(now.as_micros() + u64::from(first >> 2) * 10_000);
        let input = match first & 3 {
            0 => Input::StreamData {
                flow: flow(Transport::Tcp),
                bytes,
            },
            1 => Input::StreamClosed {
                flow: flow(Transport::Tcp),
            },
            _ => Input::Datagram {
                flow: flow(Transport::Udp),
                bytes,
            },
        };
        run(&mut endpoint, now, &mut sessions);
        let closed = matches!(input, Input::StreamClosed { .. });
        endpoint.handle_input(now, input);
        if closed {
            endpoint.handle_input(now, opened.clone());
        }
        obey(&mut endpoint, now, &mut sessions);
    }
    for session in core::mem::take(&mut sessions) {
        endpoint.end(now, session, None);
    }
    now = Instant::from_micros(now.as_micros() + 10_000_000_000);
    run(&mut endpoint, now, &mut sessions);
    let counts = endpoint.counts();
    assert_eq!(
        (counts.transactions, counts.sessions, counts.timers),
        (0, 0, 0)
    );
});

fn run(endpoint: &mut Endpoint, until: Instant, sessions: &mut Vec<SessionId>) {
    while let Some(at) = endpoint.poll_timeout()
        && at <= until
    {
        endpoint.handle_input(at, Input::Timeout);
        obey(endpoint, at, sessions);
    }
}

fn bytes(octets: &[u8]) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(octets)
}
