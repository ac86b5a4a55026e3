//! What holds for any message: no octets make it panic, and what is built is read back the same.

use proptest::prelude::*;

use super::{parse, torture};
use crate::message::{
    CSeq, CallId, HeaderName, Host, Message, Method, NameAddr, Request, Response, SipUri,
    StatusCode, Transport, Uri, Via,
};

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,9}(\\.[a-z]{2,5})?".prop_map(|name| Host::parse(&name).expect("host")),
        any::<[u8; 4]>().prop_map(|octets| Host::V4(octets.into())),
        any::<[u16; 8]>().prop_map(|groups| Host::V6(groups.into())),
    ]
}

prop_compose! {
    fn uri()(
        user in prop::option::of(".{1,12}"),
        host in host(),
        port in any::<Option<u16>>(),
        params in prop::collection::vec(("[a-z]{1,6}", prop::option::of(".{1,8}")), 0..3),
        header in prop::option::of(("[A-Za-z]{1,6}", ".{0,8}")),
        secure in any::<bool>(),
    ) -> Uri {
        let mut uri = SipUri::new(host).with_port(port);
        uri.set_user(user.as_deref());
        uri.secure = secure;
        for (name, value) in params {
            uri = match value {
                Some(value) => uri.with_param(&name, &value),
                None => uri.with_flag(&name),
            };
        }
        if let Some((name, value)) = header {
            uri = uri.with_header(&name, &value);
        }
        uri.into()
    }
}

prop_compose! {
    fn address()(
        uri in uri(),
        display in prop::option::of("[^\r\n]{1,16}"),
        params in prop::collection::vec(("[a-z]{1,6}", prop::option::of("[^\r\n]{0,8}")), 0..4),
    ) -> NameAddr {
        let mut address = NameAddr::new(uri);
        if let Some(display) = display {
            address = address.with_display(&display);
        }
        for (name, value) in params {
            match value {
                Some(value) => address.params.set(&name, value),
                None => address.params.set_flag(&name),
            }
        }
        address
    }
}

prop_compose! {
    fn message()(
        method in "[A-Z]{1,9}",
        target in uri(),
        addresses in prop::collection::vec(address(), 2..5),
        vias in prop::collection::vec((host(), any::<Option<u16>>(), "[a-z0-9]{1,9}"), 1..4),
        unknown in prop::collection::vec(("X-[A-Za-z]{1,9}", "[^\r\n]{0,30}"), 0..4),
        body in prop::collection::vec(any::<u8>(), 0..200),
        status in prop::option::of(100u16..700),
        reason in "[^\r\n]{0,20}",
    ) -> Message {
        let method = Method::from_bytes(method.as_bytes()).expect("a token");
        let mut target = target;
        if let Some(uri) = target.as_sip_mut() {
            uri.clear_headers();
        }
        let mut request = Request::new(method.clone(), target);
        for (host, port, branch) in vias {
            let via = Via::new(Transport::Tls, host, port, &format!("z9hG4bK{branch}"));
            request.headers.push(HeaderName::Via, via);
        }
        let names = [HeaderName::From, HeaderName::To, HeaderName::Contact, HeaderName::Route];
        for (name, address) in names.into_iter().zip(&addresses) {
            request.headers.push(name, address);
        }
        request.headers.push(HeaderName::CallId, CallId::new("a84b4c76e66710@pc33"));
        request.headers.push(HeaderName::CSeq, CSeq::new(314_159, method));
        for (name, value) in unknown {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a token");
            request.headers.push(name, value);
        }
        request.body = body.into();
        match status.and_then(StatusCode::new) {
            None => request.into(),
            Some(status) => {
                let mut response = Response::new(status).with_reason(reason);
                response.headers = request.headers;
                response.body = request.body;
                response.into()
            }
        }
    }
}

/// Reads every field in every way there is.
fn read_all(message: &Message) {
    let headers = message.headers();
    for name in HeaderName::KNOWN {
        let _ = headers.typed_list::<NameAddr>(name.clone());
        let _ = headers.typed_list::<Via>(name.clone());
        let _ = headers.auth(name.clone());
        let _ = headers.elements(name).count();
    }
    let _ = (
        headers.vias(),
        headers.contacts(),
        headers.cseq(),
        headers.call_id(),
    );
    let _ = (
        headers.date(),
        headers.warnings(),
        headers.reasons(),
        headers.rack(),
    );
    let _ = (
        headers.retry_after(),
        headers.privacy(),
        headers.allow(),
        headers.event(),
    );
    let _ = (
        headers.supported(),
        headers.content_type(),
        headers.replaces(),
        headers.min_se(),
    );
    let _ = (
        headers.session_expires(),
        headers.subscription_state(),
        headers.expires(),
    );
    let _ = match message {
        Message::Request(request) => request.essentials(),
        Message::Response(response) => response.essentials(),
    };
}

fn survives(octets: &[u8]) {
    match parse(octets) {
        Ok(message) => {
            read_all(&message);
            let again = parse(&message.to_bytes()).expect("what was printed can be read");
            assert_eq!(message, again);
        }
        Err(error) => {
            if let Some(rejected) = error.rejected {
                let answer = rejected.response().with_to_tag("x");
                assert!(parse(&answer.to_bytes()).is_ok());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_built_is_read_back_the_same(message in message()) {
        let octets = message.to_bytes();
        prop_assert_eq!(&parse(&octets).expect("a message"), &message);
        read_all(&message);
        if let Message::Request(request) = &message {
            prop_assert!(request.essentials().is_ok());
        }
    }

    #[test]
    fn addresses_are_read_back_the_same(address in address()) {
        let text = crate::message::HeaderValue::of(&address);
        let again = <NameAddr as crate::message::Field>::parse(text.as_bytes());
        prop_assert_eq!(again, Ok(address));
    }

    #[test]
    fn uris_are_read_back_the_same_and_equal_themselves(uri in uri()) {
        let again: Uri = uri.to_string().parse().expect("a URI");
        prop_assert!(again.equivalent(&uri));
        prop_assert_eq!(again, uri);
    }

    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        survives(&octets);
        let mut framed = b"OPTIONS sip:a@b SIP/2.0\r\nVia: ".to_vec();
        framed.extend_from_slice(&octets);
        survives(&framed);
    }

    #[test]
    fn mutations_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..8),
    ) {
        let all = torture::all();
        let mut octets = which.get(&all).1.clone();
        for (at, byte, how) in changes {
            let at = at.index(octets.len());
            match how {
                0 => octets[at] = byte,
                1 => octets.insert(at, byte),
                _ => octets.truncate(at.max(1)),
            }
        }
        survives(&octets);
    }
}
