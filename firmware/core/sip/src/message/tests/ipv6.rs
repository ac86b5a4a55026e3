//! The IPv6 messages of RFC 5118 §4.

use core::net::IpAddr;

use super::{rejection, request};
use crate::message::{Host, ParseErrorKind, Uri};

/// A request with the lines that all of them share.
fn message(method: &str, uri: &str, lines: &str) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\nTo: sip:user@example.com\nFrom: sip:user@example.com;tag=81x2\n\
         {lines}\nCall-ID: SSG9559905523997077@hlau_4100\nMax-Forwards: 70\n\
         Contact: \"Caller\" <sip:caller@[2001:db8::1]>\nCSeq: 98176 {method}\n\
         Content-Length: 0\n\n"
    )
    .replace('\n', "\r\n")
    .into_bytes()
}

const VIA: &str = "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111";

fn v6(text: &str) -> Host {
    Host::V6(text.parse().expect("an address"))
}

#[test]
fn an_address_in_brackets_is_accepted_and_printed_so() {
    // §4.1
    let register = request(&message("REGISTER", "sip:[2001:db8::10]", VIA));
    assert_eq!(register.uri.host(), Some(&v6("2001:db8::10")));
    let essentials = register.essentials().expect("essentials");
    assert_eq!(essentials.via.host, v6("2001:db8::9:1"));
    let contacts = register.headers.contacts().expect("contacts");
    assert_eq!(
        contacts.list()[0].to_string(),
        "\"Caller\" <sip:caller@[2001:db8::1]>"
    );
    let text = String::from_utf8(register.to_bytes().to_vec()).expect("ASCII");
    assert!(text.starts_with("REGISTER sip:[2001:db8::10] SIP/2.0\r\n"));
}

#[test]
fn an_address_without_brackets_is_refused_with_400() {
    // §4.2
    let (kind, rejected) = rejection(&message("REGISTER", "sip:2001:db8::10", VIA));
    assert!(matches!(kind, ParseErrorKind::RequestUri(_)), "{kind}");
    assert_eq!(rejected.expect("can be answered").status.code(), 400);
}

#[test]
fn a_port_inside_the_brackets_is_part_of_the_address() {
    // §4.3
    let ambiguous = request(&message("REGISTER", "sip:[2001:db8::10:5070]", VIA));
    assert_eq!(ambiguous.uri.host(), Some(&v6("2001:db8::10:5070")));
    assert_eq!(ambiguous.uri.port(), None);
    // §4.4
    let plain = request(&message("REGISTER", "sip:[2001:db8::10]:5070", VIA));
    assert_eq!(plain.uri.host(), Some(&v6("2001:db8::10")));
    assert_eq!(plain.uri.port(), Some(5070));
}

#[test]
fn received_comes_with_brackets_and_without() {
    // §4.5
    for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
        let via = format!("Via: SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3");
        let via = request(&message("BYE", "sip:[2001:db8::10]", &via))
            .headers
            .via();
        let via = via.expect("via");
        let address: IpAddr = "2001:db8::9:255".parse().expect("an address");
        assert_eq!(via.received(), Some(address), "{received}");
        assert!(via.to_string().contains(received));
    }
}

#[test]
fn both_families_stand_side_by_side() {
    // §4.6
    let vias = "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111\n\
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144\n\
        Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200";
    let vias = request(&message("BYE", "sip:user@host.example.net", vias))
        .headers
        .vias();
    let vias = vias.expect("vias");
    assert_eq!(
        (&vias[0].host, vias[0].port),
        (&v6("2001:db8::9:1"), Some(6050))
    );
    assert_eq!(vias[1].host, Host::V4([192, 0, 2, 1].into()));
    assert_eq!(vias[2].received(), Some([192, 0, 2, 200].into()));
}

#[test]
fn a_session_description_is_passed_on_as_it_is() {
    // §4.7, §4.8
    for body in [
        "v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\nc=IN IP6 2001:db8::20\r\n",
        "v=0\r\no=bob 280744730 28977631 IN IP4 host.example.com\r\nc=IN IP4 192.0.2.1\r\n\
         c=IN IP6 2001:db8::1\r\n",
    ] {
        let head = message("INVITE", "sip:user@[2001:db8::10]", VIA);
        let head = String::from_utf8(head).expect("ASCII");
        let length = format!("Content-Length: {}", body.len());
        let octets = head.replace("Content-Length: 0", &length) + body;
        assert_eq!(request(octets.as_bytes()).body, body.as_bytes());
    }
}

#[test]
fn a_mapped_address_is_one_of_ipv6() {
    // §4.9
    let vias = "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19\n\
        Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111";
    let invite = request(&message("INVITE", "sip:user@example.com", vias));
    let vias = invite.headers.vias().expect("vias");
    assert_eq!(
        (&vias[0].host, vias[0].port),
        (&v6("::ffff:192.0.2.10"), Some(19823))
    );
    assert_eq!(
        vias[1].to_string(),
        "SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111"
    );
}

#[test]
fn an_embedded_ipv4_address_takes_two_colons_not_three() {
    // §4.10: the grammar of RFC 3261 allows three by mistake; RFC 5954 corrects it.
    let good: Uri = "sip:user@[2001:db8::192.0.2.1]".parse().expect("a URI");
    assert_eq!(good.host(), Some(&v6("2001:db8::c000:201")));
    let (_, rejected) = rejection(&message("OPTIONS", "sip:user@[2001:db8:::192.0.2.1]", VIA));
    assert_eq!(rejected.expect("can be answered").status.code(), 400);
}
