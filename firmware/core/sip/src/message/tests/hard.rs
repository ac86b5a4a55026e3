//! Input that a message library was seen to read wrongly, one case each.

use super::{parse, rejection, request, response};
use crate::message::{
    AuthValue, Contacts, Field, HeaderName, Host, Method, NameAddr, ParamValue, Params,
    ParseErrorKind, SipUri, Transport, Uri, Via,
};

/// A request with these lines after the start line, and no body.
fn with(lines: &str) -> Vec<u8> {
    format!("OPTIONS sip:box@192.0.2.1 SIP/2.0\r\n{lines}\r\n\r\n").into_bytes()
}

fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn sip(text: &str) -> SipUri {
    uri(text).as_sip().expect("a SIP URI").clone()
}

fn address(text: &str) -> NameAddr {
    NameAddr::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn compact_names() {
    let message = request(&with(
        "v: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\n\
         CSeq: 1 OPTIONS\r\nl: 0\r\nm: <sip:a@h>\r\nc: text/plain\r\ns: hello\r\nk: timer\r\n\
         e: gzip\r\no: dialog\r\nr: <sip:e@f>\r\nb: <sip:g@h>\r\nx: 90\r\nu: refer",
    ));
    assert!(message.essentials().is_ok());
    let headers = &message.headers;
    assert_eq!(headers.contacts().expect("contacts").list().len(), 1);
    assert_eq!(headers.subject(), Ok(Some("hello".to_owned())));
    assert!(headers.supported().expect("supported").contains("timer"));
    assert!(headers.contains(&HeaderName::ContentEncoding));
    assert_eq!(
        headers.event().expect("event").expect("there").package,
        "dialog"
    );
    assert!(headers.refer_to().expect("readable").is_some());
    assert!(headers.referred_by().expect("readable").is_some());
    assert_eq!(
        headers
            .session_expires()
            .expect("readable")
            .expect("there")
            .seconds,
        90
    );
    let text = String::from_utf8(message.to_bytes().to_vec()).expect("ASCII");
    assert!(text.contains("\r\nVia: ") && text.contains("\r\nSession-Expires: 90\r\n"));
}

#[test]
fn a_folded_line_with_a_colon_is_no_new_header() {
    let message = request(&with(
        "Subject: one\r\n two: three\r\n\tfour\r\nTo: <sip:a@b>",
    ));
    assert_eq!(message.headers.len(), 2);
    let subject = message.headers.subject().expect("readable").expect("there");
    assert_eq!(
        subject.split_whitespace().collect::<Vec<_>>(),
        ["one", "two:", "three", "four"]
    );
}

#[test]
fn blanks_before_the_colon() {
    let message = request(&with("Subject \t: x"));
    assert_eq!(message.headers.subject(), Ok(Some("x".to_owned())));
}

#[test]
fn two_vias_in_one_line() {
    let message = request(&with(
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/TCP b:5070;branch=z9hG4bK2\r\n\
         Via: SIP/2.0/TLS c;branch=z9hG4bK3",
    ));
    let vias = message.headers.vias().expect("vias");
    let hosts: Vec<_> = vias.iter().map(|via| via.host.to_string()).collect();
    assert_eq!(hosts, ["a", "b", "c"]);
}

#[test]
fn two_contacts_in_one_line() {
    let message = request(&with(
        "Contact: \"A, B\" <sip:a,b@c>;q=0.7, <sip:d@e>;expires=60",
    ));
    let contacts = message.headers.contacts().expect("contacts");
    assert_eq!(contacts.list().len(), 2);
    assert_eq!(contacts.list()[0].display.as_deref(), Some("A, B"));
    assert_eq!(contacts.list()[0].uri.user().as_deref(), Some("a,b"));
    assert_eq!(contacts.list()[0].q_thousandths(), 700);
    assert_eq!(contacts.list()[1].expires(), Ok(Some(60)));
}

#[test]
fn contact_star() {
    assert_eq!(
        request(&with("Contact: *")).headers.contacts(),
        Ok(Contacts::Star)
    );
    assert!(
        request(&with("Contact: *, <sip:a@b>"))
            .headers
            .contacts()
            .is_err()
    );
}

#[test]
fn brackets_inside_a_display_name() {
    let from = address(r#""A < B" <sip:a@b>"#);
    assert_eq!(from.display.as_deref(), Some("A < B"));
    assert_eq!(from.uri.user().as_deref(), Some("a"));
    assert_eq!(
        from.uri.host().map(ToString::to_string).as_deref(),
        Some("b")
    );
    assert_eq!(address(&from.to_string()), from);
    let spoof = address(r#""x\" <sip:ceo@corp>" <sip:mallory@evil>"#);
    assert_eq!(spoof.uri.user().as_deref(), Some("mallory"));
}

#[test]
fn blanks_around_semicolon_and_equals() {
    let via = Via::parse(b"SIP / 2.0 / UDP host : 5070 ; branch = z9hG4bK7 ;rport").expect("via");
    assert_eq!((via.port, via.branch()), (Some(5070), Some("z9hG4bK7")));
    assert!(via.wants_rport() && via.rport().is_none());
    assert_eq!(address("<sip:a@b> ; tag = x").tag(), Some("x"));
}

#[test]
fn quoted_parameters_and_the_instance() {
    let contact = address(
        r#"<sip:a@b;ob>;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";reg-id=1;x="a\"b;c,d""#,
    );
    assert_eq!(
        contact.instance(),
        Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
    );
    assert_eq!(contact.reg_id(), Some(1));
    assert_eq!(contact.params.value("x"), Some("a\"b;c,d"));
    assert_eq!(address(&contact.to_string()), contact);
}

#[test]
fn ipv6_is_built_with_brackets() {
    let built: Uri = SipUri::new(Host::V6("2001:db8::1".parse().expect("an address")))
        .with_port(Some(5060))
        .into();
    assert_eq!(built.to_string(), "sip:[2001:db8::1]:5060");
    let mut via = Via::new(
        Transport::Udp,
        Host::parse("2001:db8::9").expect("host"),
        None,
        "z9hG4bK1",
    );
    via.set_received("2001:db8::9".parse().expect("an address"));
    assert_eq!(
        via.to_string(),
        "SIP/2.0/UDP [2001:db8::9];rport;branch=z9hG4bK1;received=2001:db8::9"
    );
    assert_eq!(Via::parse(via.to_string().as_bytes()), Ok(via));
}

#[test]
fn headers_in_a_uri() {
    let target = sip("sip:a@b.com?Replaces=1%40c%3Bto-tag%3D2%3Bfrom-tag%3D3%3Bearly-only&X=y");
    assert_eq!(target.host.to_string(), "b.com");
    let replaces = crate::message::Replaces::in_uri(&target)
        .expect("readable")
        .expect("there");
    assert_eq!(replaces.call_id.as_str(), "1@c");
    assert_eq!(
        (replaces.to_tag.as_str(), replaces.from_tag.as_str()),
        ("2", "3")
    );
    assert!(replaces.early_only);
    let built = SipUri::new(Host::parse("b.com").expect("host"))
        .with_user("a")
        .with_header("Replaces", &replaces.to_string())
        .with_header("X", "y");
    assert_eq!(built, target);
}

#[test]
fn unusual_parameter_values_are_whole() {
    let target = uri("sip:a@b;y=[1]:2/3;lr=on");
    assert_eq!(target.params().expect("sip").value("y"), Some("[1]:2/3"));
    assert_eq!(target.to_string(), "sip:a@b;y=[1]:2/3;lr=on");
}

#[test]
fn tel_and_urn() {
    let tel = uri("tel:+420-777-123.456;phone-context=example.com");
    assert_eq!(tel.user().as_deref(), Some("+420-777-123.456"));
    let Uri::Tel(tel) = tel else {
        panic!("no tel URI")
    };
    assert_eq!(tel.digits(), "+420777123456");
    assert_eq!(uri("urn:service:sos").to_string(), "urn:service:sos");
    let sos = request(b"INVITE urn:service:sos SIP/2.0\r\n\r\n");
    assert_eq!(sos.uri.scheme(), "urn");
}

#[test]
fn methods_are_any_token_and_case_matters() {
    let unknown = request(b"FLY sip:a@b SIP/2.0\r\n\r\n");
    assert_eq!(unknown.method.as_str(), "FLY");
    let lower = request(b"invite sip:a@b SIP/2.0\r\n\r\n");
    assert_ne!(lower.method, Method::Invite);
    assert!(request(b"INVITE sip:a@b sip/2.0\r\n\r\n").method == Method::Invite);
}

#[test]
fn transports_are_any_token() {
    let via = Via::parse(b"SIP/2.0/dtls-sctp h").expect("via");
    assert_eq!(via.transport.as_str(), "DTLS-SCTP");
}

#[test]
fn digest_parameters_of_the_field() {
    let value = AuthValue::parse(
        br#"Digest username="a\"b", realm="Home, sweet", nonce="n", algorithm=SHA-256, qop="auth,auth-int", opaque="", stale=FALSE"#,
    )
    .expect("readable");
    assert_eq!(value.params.value("username"), Some("a\"b"));
    assert_eq!(value.params.value("realm"), Some("Home, sweet"));
    assert_eq!(value.params.value("algorithm"), Some("SHA-256"));
    assert_eq!(value.params.value("qop"), Some("auth,auth-int"));
    assert_eq!(value.params.value("opaque"), Some(""));
    assert_eq!(AuthValue::parse(value.to_string().as_bytes()), Ok(value));
}

#[test]
fn reason_phrases_are_kept() {
    let busy = response(b"SIP/2.0 486 Obsazeno (17)\r\n\r\n");
    assert_eq!(busy.reason(), b"Obsazeno (17)");
    assert!(
        busy.to_bytes()
            .starts_with(b"SIP/2.0 486 Obsazeno (17)\r\n")
    );
    assert_eq!(response(b"SIP/2.0 486\r\n\r\n").reason(), b"");
}

#[test]
fn binary_bodies_are_kept() {
    let body: Vec<u8> = (0..=255).collect();
    let mut octets = b"MESSAGE sip:a@b SIP/2.0\r\nContent-Length: 256\r\n\r\n".to_vec();
    octets.extend_from_slice(&body);
    let message = request(&octets);
    assert_eq!(message.body, body);
    assert!(message.to_bytes().ends_with(&body));
}

#[test]
fn latin_1_is_read_and_passed_on_as_it_is() {
    let message = request(
        &[b"OPTIONS sip:a@b SIP/2.0\r\nFrom: J\xfcrgen <sip:j@b>\r\n\r\n".as_slice()].concat(),
    );
    assert_eq!(
        message.headers.from().expect("from").display.as_deref(),
        Some("Jürgen")
    );
    let printed = message.to_bytes();
    assert!(printed.windows(6).any(|window| window == b"J\xfcrgen"));
}

#[test]
fn content_length_rules_a_datagram() {
    let head = "MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nContent-Length: 4\r\n\r\n";
    assert_eq!(request(format!("{head}abcdefg").as_bytes()).body, "abcd");
    let (kind, rejected) = rejection(format!("{head}abc").as_bytes());
    assert_eq!(kind, ParseErrorKind::ShortBody);
    assert_eq!(rejected.expect("can be answered").status.code(), 400);
    for bad in ["-1", "", "1x", "0x10", "1 2"] {
        let text = format!("OPTIONS sip:a@b SIP/2.0\r\nContent-Length: {bad}\r\n\r\n");
        let (kind, _) = rejection(text.as_bytes());
        assert!(matches!(kind, ParseErrorKind::ContentLength(_)), "{bad}");
    }
    let huge = format!("OPTIONS sip:a@b SIP/2.0\r\nl: 1{}\r\n\r\n", "0".repeat(99));
    assert!(matches!(
        rejection(huge.as_bytes()).0,
        ParseErrorKind::TooLarge(_)
    ));
    assert_eq!(request(b"MESSAGE sip:a@b SIP/2.0\r\n\r\nrest").body, "rest");
}

#[test]
fn line_ends_in_front_and_keep_alives() {
    assert_eq!(
        request(b"\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\n\r\n").method,
        Method::Options
    );
    for ping in [b"\r\n\r\n".as_slice(), b"\r\n", b"\0\0\0\0", b""] {
        assert_eq!(rejection(ping), (ParseErrorKind::KeepAlive, None));
    }
}

#[test]
fn the_extensions_fields_have_types() {
    let message = request(&with(
        "Refer-To: \"B\" <sip:b@c?Replaces=x>\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n\
         RSeq: 7\r\nRAck: 776656 1 INVITE\r\nPath: <sip:p1;lr>, <sip:p2;lr>\r\n\
         Service-Route: <sip:s;lr>\r\nP-Asserted-Identity: <tel:+1>, \"X\" <sip:x@y>\r\n\
         Diversion: <sip:d@e>;reason=unconditional;counter=1\r\n\
         Reason: Q.850;cause=17;text=\"User busy\", SIP;cause=486\r\nPrivacy: id;critical\r\n\
         Retry-After: 18 (in a \\) meeting);duration=60\r\n\
         Subscription-State: terminated;reason=timeout;retry-after=5\r\n\
         Warning: 370 devnull \"Choose a bigger pipe\", 307 isi.edu \"x\"\r\n\
         Date: Sat, 13 Nov 2010 23:29:00 GMT",
    ));
    let headers = &message.headers;
    let timer = headers.session_expires().expect("readable").expect("there");
    assert_eq!(timer.refresher, Some(crate::message::Refresher::Uac));
    assert_eq!(
        (headers.min_se(), headers.rseq()),
        (Ok(Some(90)), Ok(Some(7)))
    );
    let rack = headers.rack().expect("readable").expect("there");
    assert_eq!(
        (rack.rseq, rack.cseq.seq, rack.cseq.method),
        (776_656, 1, Method::Invite)
    );
    assert_eq!(headers.paths().expect("paths").len(), 2);
    assert_eq!(headers.service_routes().expect("routes").len(), 1);
    assert_eq!(headers.asserted_identities().expect("identities").len(), 2);
    assert_eq!(
        headers.diversions().expect("diversions")[0]
            .params
            .value("counter"),
        Some("1")
    );
    let reasons = headers.reasons().expect("reasons");
    assert_eq!(reasons[0].q850_cause(), Some(model::Cause::USER_BUSY));
    assert_eq!(reasons[0].text(), Some("User busy"));
    assert_eq!(
        reasons[1].sip_status().map(|status| status.code()),
        Some(486)
    );
    assert!(headers.privacy().expect("privacy").hides_identity());
    let retry = headers.retry_after().expect("readable").expect("there");
    assert_eq!(
        (retry.seconds, retry.comment.as_deref(), retry.duration_s()),
        (18, Some("in a ) meeting"), Some(60))
    );
    let state = headers
        .subscription_state()
        .expect("readable")
        .expect("there");
    assert!(state.is_terminated());
    assert_eq!(
        (state.reason(), state.retry_after()),
        (Some("timeout"), Some(5))
    );
    let warnings = headers.warnings().expect("warnings");
    assert_eq!(
        (warnings[0].code, warnings[1].agent.as_str()),
        (370, "isi.edu")
    );
    let date = headers.date().expect("readable").expect("there");
    assert_eq!(date.0.as_unix_seconds(), 1_289_690_940);
    assert_eq!(date.to_string(), "Sat, 13 Nov 2010 23:29:00 GMT");
    assert!(parse(&message.to_bytes()).expect("a message") == message.into());
}

#[test]
fn names_and_values_that_could_break_a_line_cannot_be_built() {
    let mut message = request(&with("To: <sip:a@b>"));
    message
        .headers
        .push(HeaderName::Subject, "x\r\nVia: SIP/2.0/UDP evil");
    let to = address("<sip:a@b>")
        .with_display("y\r\nFrom: z")
        .with_tag("1\r\n2");
    message.headers.set(HeaderName::To, to);
    message.uri = SipUri::new(Host::parse("b").expect("host"))
        .with_user("a\r\n b")
        .into();
    let params = Params::new().with("n\r\na", ParamValue::quoted("v\r\n"));
    message.headers.push(
        HeaderName::UserToUser,
        AuthValue {
            scheme: "x".into(),
            params,
        },
    );
    let again = request(&message.to_bytes());
    assert_eq!(again, message);
    assert_eq!(again.headers.len(), 3);
    assert!(Host::parse("a b").is_err() && Host::parse("").is_err());
}

#[test]
fn too_many_and_too_long_are_refused() {
    let many = with(&vec!["X: y"; 300].join("\r\n"));
    assert!(matches!(rejection(&many).0, ParseErrorKind::TooLarge(_)));
    let long = with(&format!("X: {}", "y".repeat(40_000)));
    assert!(matches!(rejection(&long).0, ParseErrorKind::TooLarge(_)));
    let uri = format!(
        "OPTIONS sip:{}@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        "a".repeat(5000)
    );
    let (kind, rejected) = rejection(uri.as_bytes());
    assert_eq!(kind, ParseErrorKind::UriTooLong);
    assert_eq!(rejected.expect("can be answered").status.code(), 414);
}

#[test]
fn an_ack_is_never_answered() {
    let (_, rejected) = rejection(b"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nl: 9\r\n\r\n");
    assert_eq!(rejected, None);
    let (_, rejected) = rejection(b"nonsense\r\nVia: SIP/2.0/UDP h\r\nCSeq: 1 ACK\r\n\r\n");
    assert_eq!(rejected, None);
    let (_, rejected) = rejection(b"OPTIONS sip:a@b SIP/2.0\r\nFrom: x\r\nno colon\r\n\r\n");
    assert_eq!(rejected, None, "nothing to send it back by");
}

#[test]
fn the_list_of_a_line_can_be_taken_apart_and_put_back() {
    let mut message = request(&with(
        "Route: <sip:a,b;lr>, <sip:c;lr>\r\nRoute: <sip:d;lr>",
    ));
    assert!(message.headers.remove_first_element(&HeaderName::Route));
    assert_eq!(message.headers.routes().expect("routes").len(), 2);
    let e = address("<sip:e;lr>");
    assert!(message.headers.set_first_element(&HeaderName::Route, &e));
    assert_eq!(message.headers.routes().expect("routes")[0], e);
    while message.headers.remove_first_element(&HeaderName::Route) {}
    assert!(!message.headers.contains(&HeaderName::Route));
}
