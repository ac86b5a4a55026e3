//! The torture messages of RFC 4475, octet for octet, and what has to become of each.

mod invalid;
mod semantic;
mod valid;

use super::{parse, rejection, request, response};
use crate::message::{
    Field, HeaderFault, HeaderName, Host, Message, Method, NameAddr, ParseErrorKind, StatusCode,
    Transport, Uri,
};

/// Every message, by the name it has in the RFC.
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = valid::messages();
    all.extend(invalid::messages());
    all.extend(semantic::messages());
    all
}

/// Lines as they travel.
fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// A head, and the session description that most messages carry.
fn with_sdp(head: &str, origin: &str, connection: &str, time: &str) -> Vec<u8> {
    wire(&format!(
        "{head}\nv=0\no=mhandley 29739 7272939 IN IP4 {origin}\ns=-\nc=IN IP4 {connection}\n\
         t={time}\nm=audio 49217 RTP/AVP 0 12\nm=video 3227 RTP/AVP 31\na=rtpmap:31 LPC\n"
    ))
}

fn named(name: &str) -> Vec<u8> {
    all()
        .into_iter()
        .find(|(own, _)| *own == name)
        .map(|(_, octets)| octets)
        .expect("the name of a torture message")
}

#[test]
fn there_are_all_49() {
    assert_eq!(all().len(), 49);
}

#[test]
fn what_parses_prints_and_parses_back_the_same() {
    for (name, octets) in all() {
        let Ok(message) = parse(&octets) else {
            continue;
        };
        let again = parse(&message.to_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(message, again, "{name}");
    }
}

// §3.1.1

#[test]
fn every_valid_message_is_accepted_with_all_it_must_have() {
    for (name, octets) in valid::messages() {
        let essentials = match parse(&octets) {
            Ok(Message::Request(request)) => request.essentials(),
            Ok(Message::Response(response)) => response.essentials(),
            Err(error) => panic!("{name}: {error}"),
        };
        let essentials = essentials.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(
            essentials.call_id.as_str().contains(name) || name == "mpart01",
            "{name}: {}",
            essentials.call_id
        );
    }
}

#[test]
fn wsinv_reads_through_blanks_and_folds() {
    let invite = request(&named("wsinv"));
    assert!(invite.uri.params().expect("sip").contains("unknownparam"));
    let essentials = invite.essentials().expect("essentials");
    assert_eq!(essentials.to.tag(), Some("1918181833n"));
    assert_eq!(essentials.from.display.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(essentials.from.tag(), Some("98asjd8"));
    assert_eq!(essentials.max_forwards, Some(68));
    assert_eq!(essentials.cseq.seq, 9);
    let vias = invite.headers.vias().expect("vias");
    let branches: Vec<_> = vias
        .iter()
        .map(|via| via.branch().expect("branch"))
        .collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(vias[1].transport, Transport::Tcp);
    assert_eq!(vias[1].host.name(), Some("spindle.example.com"));
    assert_eq!(
        invite.headers.subject().expect("subject").as_deref(),
        Some("")
    );
    let odd = HeaderName::from_bytes(b"unknownheaderwithunusualvalue").expect("token");
    assert_eq!(
        invite.headers.raw(&odd).expect("there").as_bytes(),
        b";;,,;;,;"
    );
    let routes = invite.headers.routes().expect("routes");
    assert!(routes[0].uri.as_sip().expect("sip").is_loose_router());
    let contacts = invite.headers.contacts().expect("contacts");
    let contact = &contacts.list()[0];
    assert_eq!(contact.display.as_deref(), Some("Quoted string \"\""));
    assert_eq!(contact.params.value("newparam"), Some("newvalue"));
    assert!(contact.params.contains("secondparam"));
    assert_eq!(contact.q_thousandths(), 330);
    assert_eq!(invite.body.len(), 150);
}

#[test]
fn intmeth_keeps_every_unusual_character() {
    let odd = request(&named("intmeth"));
    assert_eq!(
        odd.method.as_str(),
        "!interesting-Method0123456789_*+`.%indeed'~"
    );
    let uri = odd.uri.as_sip().expect("sip");
    assert_eq!(
        uri.raw_user(),
        Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*")
    );
    assert_eq!(
        uri.raw_password(),
        Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)")
    );
    let essentials = odd.essentials().expect("essentials");
    assert_eq!(
        essentials.to.display.as_deref(),
        Some("BEL:\u{7} NUL:\0 DEL:\u{7f}")
    );
    assert_eq!(essentials.from.tag(), Some("_token~1'+`*%!-."));
    assert_eq!(
        essentials.from.params.value("fromParam''~+*_!.-%"),
        Some("работающий")
    );
    let name = HeaderName::from_bytes(b"extensionHeader-!.%*+_`'~").expect("token");
    let value = odd.headers.raw(&name).expect("there");
    assert_eq!(value.as_str(), Some("\u{feff}大停電"));
}

#[test]
fn esc01_undoes_escapes_in_users_and_parameter_names_only_where_asked() {
    let invite = request(&named("esc01"));
    assert_eq!(invite.uri.user().as_deref(), Some("sips:user@example.com"));
    assert_eq!(
        invite.headers.from().expect("from").uri.user().as_deref(),
        Some("I have spaces")
    );
    let to: Uri = "sip:user@example.com".parse().expect("uri");
    assert!(invite.headers.to().expect("to").uri.equivalent(&to));
    let contacts = invite.headers.contacts().expect("contacts");
    let same: Uri = "sip:caller@host5.example.net;lr;name=value%25%34%31"
        .parse()
        .expect("uri");
    assert!(contacts.list()[0].uri.equivalent(&same));
}

#[test]
fn escnull_keeps_nul_in_users() {
    let register = request(&named("escnull"));
    let contacts = register.headers.contacts().expect("contacts");
    let users: Vec<_> = contacts
        .list()
        .iter()
        .map(|c| c.uri.user().expect("user"))
        .collect();
    assert_eq!(users, ["\0", "\0\0"]);
}

#[test]
fn esc02_takes_percent_for_itself_outside_of_uris() {
    let odd = request(&named("esc02"));
    assert_eq!(
        odd.method,
        Method::from_bytes(b"RE%47IST%45R").expect("token")
    );
    assert_eq!(
        odd.headers.to().expect("to").display.as_deref(),
        Some("%Z%45")
    );
    assert_eq!(odd.headers.contacts().expect("contacts").list().len(), 2);
}

#[test]
fn longreq_has_all_its_34_hops() {
    let invite = request(&named("longreq"));
    let vias = invite.headers.vias().expect("vias");
    assert_eq!(vias.len(), 34);
    assert_eq!(vias[0].host.name(), Some("sip33.example.com"));
    assert_eq!(vias[33].received(), Some([192, 0, 2, 5].into()));
}

#[test]
fn dblreq_is_its_first_request_alone() {
    let register = request(&named("dblreq"));
    assert_eq!(register.method, Method::Register);
    assert!(register.body.is_empty());
}

#[test]
fn semiuri_has_its_semicolon_in_the_user() {
    let options = request(&named("semiuri"));
    assert_eq!(
        options.uri.user().as_deref(),
        Some("user;par=u@example.net")
    );
    assert_eq!(options.headers.accepts().expect("accepts").len(), 6);
}

#[test]
fn transports_of_any_name_are_kept() {
    let vias = request(&named("transports")).headers.vias().expect("vias");
    let names: Vec<_> = vias.iter().map(|via| via.transport.as_str()).collect();
    assert_eq!(names, ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]);
}

#[test]
fn mpart01_keeps_its_binary_body() {
    let octets = named("mpart01");
    let message = request(&octets);
    assert_eq!(message.body.len(), 553);
    assert!(octets.ends_with(&message.body));
    assert!(message.to_bytes().ends_with(&message.body));
    let kind = message
        .headers
        .content_type()
        .expect("readable")
        .expect("there");
    assert_eq!(kind.params.value("boundary"), Some("7a9cbec02ceef655"));
}

#[test]
fn reason_phrases_are_kept_even_where_empty() {
    let phrase = "= 2**3 * 5**2 но сто девяносто девять - простое";
    assert_eq!(response(&named("unreason")).reason(), phrase.as_bytes());
    assert_eq!(response(&named("noreason")).reason(), b"");
}

// §3.1.2

#[test]
fn what_must_not_parse_is_answered_as_the_rfc_says() {
    for (name, status) in [
        ("clerr", 400),
        ("ncl", 400),
        ("ltgtruri", 400),
        ("lwsruri", 400),
        ("lwsstart", 400),
        ("trws", 400),
        ("escruri", 400),
        ("badvers", 505),
        ("mcl01", 400),
    ] {
        let (_, rejected) = rejection(&named(name));
        let rejected = rejected.unwrap_or_else(|| panic!("{name} can be answered"));
        assert_eq!(rejected.status.code(), status, "{name}");
        let answer = response(&rejected.response().to_bytes());
        assert_eq!(answer.status, rejected.status, "{name}");
        for copied in [HeaderName::Via, HeaderName::From, HeaderName::To] {
            assert!(answer.headers.contains(&copied), "{name}: {copied}");
        }
        assert!(answer.headers.call_id().is_ok(), "{name}");
        assert!(answer.headers.cseq().is_ok(), "{name}");
    }
}

#[test]
fn a_status_code_beyond_all_bounds_is_dropped() {
    assert_eq!(rejection(&named("bigcode")), (ParseErrorKind::Status, None));
}

#[test]
fn broken_essentials_are_found_when_read() {
    for (name, broken) in [
        ("badinv01", HeaderName::Via),
        ("scalar02", HeaderName::CSeq),
        ("quotbal", HeaderName::To),
        ("badaspec", HeaderName::To),
        ("baddn", HeaderName::From),
    ] {
        let error = request(&named(name)).essentials().expect_err(name);
        assert_eq!(error.name, broken, "{name}");
        assert!(matches!(error.fault, HeaderFault::Malformed(_)), "{name}");
        assert_eq!(error.status(), StatusCode::BAD_REQUEST);
    }
    assert!(response(&named("scalarlg")).essentials().is_err());
}

#[test]
fn badinv01_and_regbadct_have_a_broken_contact() {
    for name in ["badinv01", "regbadct"] {
        let error = request(&named(name)).headers.contacts().expect_err(name);
        assert_eq!(error.name, HeaderName::Contact, "{name}");
    }
}

#[test]
fn too_great_numbers_never_wrap() {
    let register = request(&named("scalar02"));
    assert!(register.headers.max_forwards().is_err());
    assert_eq!(register.headers.expires(), Ok(Some(u32::MAX)));
    let contacts = register.headers.contacts().expect("contacts");
    assert_eq!(contacts.list()[0].expires(), Ok(Some(u32::MAX)));
    let answer = response(&named("scalarlg"));
    assert!(answer.headers.warnings().is_err());
    let retry = answer
        .headers
        .retry_after()
        .expect("readable")
        .expect("there");
    assert_eq!(retry.seconds, u32::MAX);
}

#[test]
fn baddate_is_a_broken_date_and_nothing_else() {
    let invite = request(&named("baddate"));
    assert!(invite.essentials().is_ok());
    assert!(invite.headers.date().is_err());
}

#[test]
fn a_method_that_differs_from_the_cseq_is_a_mismatch() {
    for name in ["mismatch01", "mismatch02"] {
        let error = request(&named(name)).essentials().expect_err(name);
        assert_eq!(
            (error.name, error.fault),
            (HeaderName::CSeq, HeaderFault::Mismatch)
        );
    }
}

// §3.2 to §3.4: for the layers above, so they parse.

#[test]
fn badbranch_has_a_cookie_and_nothing_else() {
    let via = request(&named("badbranch")).headers.via().expect("via");
    assert_eq!(via.branch(), Some("z9hG4bK"));
    assert_eq!(via.cookie_branch(), None);
}

#[test]
fn insuf_lacks_and_multi01_repeats() {
    let insuf = request(&named("insuf"));
    assert_eq!(
        insuf.essentials().expect_err("no From").fault,
        HeaderFault::Missing
    );
    let multi = request(&named("multi01"));
    assert_eq!(
        multi.essentials().expect_err("two From").fault,
        HeaderFault::Repeated
    );
    assert_eq!(multi.headers.contacts().expect("contacts").list().len(), 2);
}

#[test]
fn unknown_schemes_are_kept() {
    let unknown = request(&named("unkscm"));
    assert_eq!(unknown.uri.scheme(), "nobodyknowsthisscheme");
    assert_eq!(
        request(&named("novelsc")).uri.to_string(),
        "soap.beep://192.0.2.103:3002"
    );
    let register = request(&named("unksm2"));
    let essentials = register.essentials().expect("essentials");
    assert_eq!(essentials.to.uri.to_string(), "isbn:2983792873");
    assert_eq!(essentials.from.uri.to_string(), "http://www.example.com");
    assert_eq!(
        register.headers.contacts().expect("contacts").list().len(),
        1
    );
}

#[test]
fn the_rest_reads_as_it_stands() {
    let bext = request(&named("bext01"));
    assert!(
        bext.headers
            .require()
            .expect("require")
            .contains("nothingSupportsThisEither")
    );
    assert!(
        bext.headers
            .proxy_require()
            .expect("there")
            .contains("norDoAnyProxiesSupportThis")
    );
    let kind = request(&named("invut"))
        .headers
        .content_type()
        .expect("readable");
    assert!(kind.expect("there").is("application", "unknownformat"));
    let auth = request(&named("regaut01"))
        .headers
        .auth(HeaderName::Authorization);
    let auth = auth.expect("readable");
    assert!(auth[0].is("NoOneKnowsThisScheme"));
    assert_eq!(auth[0].params.value("opaque-data"), Some("here"));
    let vias = response(&named("bcast")).headers.vias().expect("vias");
    assert_eq!(vias[1].host, Host::V4([255; 4].into()));
    assert_eq!(
        request(&named("zeromf")).headers.max_forwards(),
        Ok(Some(0))
    );
    assert_eq!(request(&named("sdp01")).body.len(), 150);
}

#[test]
fn parameters_without_brackets_are_the_fields() {
    let contact = |name| -> NameAddr {
        let register = request(&named(name));
        NameAddr::parse(
            register
                .headers
                .raw(&HeaderName::Contact)
                .expect("there")
                .as_bytes(),
        )
        .expect("readable")
    };
    let bare = contact("cparam01");
    assert!(bare.params.contains("unknownparam"));
    let bracketed = contact("cparam02");
    assert!(bracketed.params.is_empty());
    assert!(
        bracketed
            .uri
            .params()
            .expect("sip")
            .contains("unknownparam")
    );
    let escaped = contact("regescrt");
    let route = escaped.uri.as_sip().expect("sip").header("route");
    assert_eq!(route.as_deref(), Some(b"<sip:sip.example.com>".as_slice()));
}

#[test]
fn inv2543_lacks_what_rfc_2543_did_not_have() {
    let invite = request(&named("inv2543"));
    let essentials = invite.essentials().expect("essentials");
    assert_eq!(essentials.via.branch(), None);
    assert_eq!(essentials.from.tag(), None);
    assert_eq!(essentials.max_forwards, None);
    assert!(invite.body.starts_with(b"v=0"));
    assert!(named("inv2543").ends_with(&invite.body));
}
