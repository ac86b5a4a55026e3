//! Comparison by RFC 3261 §19.1.4, with its own examples, and RFC 3966 §4.

use crate::message::{Host, SipUri, Uri};

fn uri(text: &str) -> Uri {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[track_caller]
fn same(a: &str, b: &str) {
    assert!(uri(a).equivalent(&uri(b)), "{a} = {b}");
    assert!(uri(b).equivalent(&uri(a)), "{b} = {a}");
}

#[track_caller]
fn different(a: &str, b: &str) {
    assert!(!uri(a).equivalent(&uri(b)), "{a} ≠ {b}");
    assert!(!uri(b).equivalent(&uri(a)), "{b} ≠ {a}");
}

#[test]
fn what_the_rfc_calls_equivalent() {
    same(
        "sip:%61lice@atlanta.com;transport=TCP",
        "sip:alice@AtLanTa.CoM;Transport=tcp",
    );
    same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5");
    same("sip:carol@chicago.com", "sip:carol@chicago.com;security=on");
    same(
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    );
    same(
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    );
}

#[test]
fn of_a_parameter_given_twice_the_first_counts() {
    same("sip:a@b;x=1;x=2", "sip:a@b;x=1;x=2");
    same("sip:a@b;x=1;x=2", "sip:a@b;x=1");
    different("sip:a@b;x=1;x=2", "sip:a@b;x=2");
}

#[test]
fn what_the_rfc_calls_different() {
    different(
        "SIP:ALICE@AtLanTa.CoM;Transport=udp",
        "sip:alice@AtLanTa.CoM;Transport=UDP",
    );
    different("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060");
    different("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp");
    different(
        "sip:bob@biloxi.com",
        "sip:bob@biloxi.com:6000;transport=tcp",
    );
    different(
        "sip:carol@chicago.com",
        "sip:carol@chicago.com?Subject=next%20meeting",
    );
    different("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4");
    different(
        "sip:carol@chicago.com;security=on",
        "sip:carol@chicago.com;security=off",
    );
    different("sip:a@b", "sips:a@b");
    different("sip:a%3Bb@c", "sip:a;b@c");
    different("sip:a:x@b", "sip:a:y@b");
}

#[test]
fn telephone_numbers_compare_by_digits() {
    same("tel:+1-201-555-0123", "tel:+12015550123");
    different("tel:+12015550123", "tel:12015550123");
    different(
        "tel:7042;phone-context=example.com",
        "tel:7042;phone-context=example.org",
    );
    different("tel:7042;phone-context=example.com", "tel:7042");
}

#[test]
fn what_is_no_uri_is_refused() {
    for text in [
        "",
        "sip:",
        "sip:@host",
        "sip:a@",
        "sip:a@b@c",
        "alice",
        "sip:a b@c",
        "sip:a@b:99999",
        "sip:a@b:",
        "sip:a@[::1",
        "sip:a@b;",
        "sip:a@b?",
        "sip:a@b?x",
        "sip:a@b c",
        "tel:",
        "tel:x y",
        "sip:a<b>@c",
        "1x:y",
        "sip:a@b;=1",
        "sip:2001:db8::1",
        "sip:a@b/c",
    ] {
        assert!(Uri::parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn users_are_escaped_when_built_and_plain_when_read() {
    for user in ["100", "*72#", "a b@c:d", "Jürgen", "50%", "\0", "+420 777"] {
        let built: Uri = SipUri::new(Host::parse("box.example").expect("host"))
            .with_user(user)
            .into();
        let again = uri(&built.to_string());
        assert_eq!(again, built);
        assert_eq!(again.user().as_deref(), Some(user));
    }
    assert_eq!(uri("sip:*72#@box").user().as_deref(), Some("*72#"));
    assert_eq!(uri("sip:50%@box").to_string(), "sip:50%25@box");
}

#[test]
fn of_very_many_parameters_only_those_written_alike_are_the_same() {
    let with = |params: &mut dyn Iterator<Item = usize>, between: char| {
        let list: Vec<String> = params.map(|n| format!("p{n}=1")).collect();
        let first = if between == ';' { ';' } else { '?' };
        uri(&format!(
            "sip:a@b{first}{}",
            list.join(&between.to_string())
        ))
    };
    for between in [';', '&'] {
        let (few, turned) = (
            with(&mut (0..32), between),
            with(&mut (0..32).rev(), between),
        );
        assert!(few.equivalent(&turned));
        let (many, turned) = (
            with(&mut (0..33), between),
            with(&mut (0..33).rev(), between),
        );
        assert!(many.equivalent(&many));
        assert!(!many.equivalent(&turned));
        assert!(!turned.equivalent(&few));
    }
}
