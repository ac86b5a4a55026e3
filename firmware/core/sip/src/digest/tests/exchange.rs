//! Challenge, answer, check: who gets in and who does not.

use core::time::Duration;

use model::{Instant, Secret};

use crate::digest::{
    Algorithm, Challenge, Client, Credentials, DigestOffer, Ha1, NonceTable, PasswordHashes,
    Refusal, Server, ServerOptions, Side, UriCheck,
};
use crate::message::{AuthValue, HeaderName, Method, Request, Uri};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const START: Instant = Instant::from_millis(1_000_000);

fn server(options: ServerOptions) -> Server {
    Server::new("box", KEY, options, NonceTable::default())
}

fn password() -> PasswordHashes {
    PasswordHashes::Password(Secret::new("pw"))
}

/// A phone that answers the server's challenge for an algorithm.
fn phone(server: &mut Server, now: Instant, algorithm: Algorithm) -> Client {
    let challenge = server
        .challenges(now, false)
        .iter()
        .filter_map(|value| Challenge::from_value(value).expect("ours"))
        .find(|challenge| challenge.algorithm == algorithm.base())
        .expect("offered");
    let challenge = Challenge {
        algorithm,
        ..challenge
    };
    Client::answering(challenge, Side::Server, "100", &Secret::new("pw"))
}

fn register(value: impl Into<crate::message::HeaderValue>) -> Request {
    let target: Uri = "sip:box.example".parse().expect("a URI");
    let mut request = Request::new(Method::Register, target);
    request.headers.push(HeaderName::Authorization, value);
    request
}

fn check(server: &mut Server, now: Instant, request: &Request) -> Result<(), Refusal> {
    let credentials = server
        .credentials(&request.headers, &HeaderName::Authorization)
        .expect("credentials of this realm");
    assert_eq!(credentials.username, "100");
    server.verify(now, request, &credentials, &password())
}

fn answer(phone: &mut Client) -> AuthValue {
    phone.authorize("REGISTER", "sip:box.example", b"", b"\x0b\xad")
}

#[test]
fn every_offered_algorithm_gets_in() {
    let mut server = server(ServerOptions::default());
    for algorithm in [
        Algorithm::Sha256,
        Algorithm::Md5,
        Algorithm::Sha256Sess,
        Algorithm::Md5Sess,
    ] {
        let mut phone = phone(&mut server, START, algorithm);
        for _ in 0..3 {
            let request = register(answer(&mut phone));
            assert_eq!(check(&mut server, START, &request), Ok(()), "{algorithm}");
        }
    }
}

#[test]
fn md5_is_offered_where_wanted_and_only_there() {
    let names = |options| -> Vec<_> {
        server(options)
            .challenges(START, true)
            .iter()
            .map(|value| {
                assert_eq!(value.params.value("stale"), Some("true"));
                value.params.value("algorithm").expect("named").to_owned()
            })
            .collect()
    };
    let offering = |offer| ServerOptions {
        offer,
        ..ServerOptions::default()
    };
    assert_eq!(names(ServerOptions::default()), ["SHA-256", "MD5"]);
    assert_eq!(names(offering(DigestOffer::Md5)), ["MD5"]);
    let strict = offering(DigestOffer::Sha256);
    assert_eq!(names(strict.clone()), ["SHA-256"]);
    let mut old = phone(&mut server(ServerOptions::default()), START, Algorithm::Md5);
    let request = register(answer(&mut old));
    assert_eq!(
        check(&mut server(strict), START, &request),
        Err(Refusal::NotOffered)
    );
}

#[test]
fn a_stored_hash_serves_as_well_as_the_password() {
    let mut server = server(ServerOptions::default());
    let hash = |algorithm| Some(Ha1::new(algorithm, "100", "box", &Secret::new("pw")));
    let stored = PasswordHashes::Precomputed {
        md5: None,
        sha256: hash(Algorithm::Sha256),
    };
    for (algorithm, expected) in [
        (Algorithm::Sha256, Ok(())),
        (Algorithm::Md5, Err(Refusal::NotOffered)),
    ] {
        let mut phone = phone(&mut server, START, algorithm);
        let request = register(answer(&mut phone));
        let credentials = server
            .credentials(&request.headers, &HeaderName::Authorization)
            .expect("credentials");
        let result = server.verify(START, &request, &credentials, &stored);
        assert_eq!(result, expected, "{algorithm}");
    }
}

#[test]
fn a_wrong_password_method_or_body_does_not_get_in() {
    let mut server = server(ServerOptions::default());
    let mut phone = phone(&mut server, START, Algorithm::Sha256);
    let mut request = register(answer(&mut phone));
    let credentials = server
        .credentials(&request.headers, &HeaderName::Authorization)
        .expect("credentials");
    let other = PasswordHashes::Password(Secret::new("pW"));
    let result = server.verify(START, &request, &credentials, &other);
    assert_eq!(result, Err(Refusal::WrongResponse));
    request.method = Method::Invite;
    assert_eq!(
        check(&mut server, START, &request),
        Err(Refusal::WrongResponse)
    );
}

#[test]
fn a_replay_is_stale() {
    let mut server = server(ServerOptions::default());
    let mut phone = phone(&mut server, START, Algorithm::Sha256);
    let request = register(answer(&mut phone));
    assert_eq!(check(&mut server, START, &request), Ok(()));
    assert_eq!(check(&mut server, START, &request), Err(Refusal::Stale));
}

#[test]
fn an_old_nonce_and_one_of_another_key_are_stale() {
    let mut ours = server(ServerOptions::default());
    let mut client = phone(&mut ours, START, Algorithm::Md5);
    let late = START + Duration::from_secs(301);
    let request = register(answer(&mut client));
    assert_eq!(check(&mut ours, late, &request), Err(Refusal::Stale));
    let mut restarted = Server::new(
        "box",
        b"another key",
        ServerOptions::default(),
        NonceTable::default(),
    );
    assert_eq!(check(&mut restarted, START, &request), Err(Refusal::Stale));
}

#[test]
fn old_phones_without_qop_get_in_where_allowed() {
    let mut lenient = server(ServerOptions::default());
    let challenge = lenient.challenges(START, false);
    let challenge = Challenge::from_value(&challenge[1])
        .expect("ours")
        .expect("known");
    let challenge = Challenge {
        qop: Vec::new(),
        ..challenge
    };
    let mut phone = Client::answering(challenge, Side::Server, "100", &Secret::new("pw"));
    let request = register(answer(&mut phone));
    assert_eq!(check(&mut lenient, START, &request), Ok(()));
    let mut strict = server(ServerOptions {
        without_qop: false,
        ..ServerOptions::default()
    });
    assert_eq!(
        check(&mut strict, START, &request),
        Err(Refusal::NotOffered)
    );
}

#[test]
fn the_uri_must_be_that_of_the_request_as_far_as_asked() {
    for (claimed, off, target, whole) in [
        ("sip:box.example", true, true, true),
        ("sip:BOX.example:5060;transport=udp", true, true, false),
        ("sip:other.example", true, false, false),
        ("sip:9@box.example", true, false, false),
        ("nonsense", true, false, false),
    ] {
        for (uri_check, expected) in [
            (UriCheck::Off, off),
            (UriCheck::Target, target),
            (UriCheck::Whole, whole),
        ] {
            let mut server = server(ServerOptions {
                uri_check,
                ..ServerOptions::default()
            });
            let mut phone = phone(&mut server, START, Algorithm::Sha256);
            let request = register(phone.authorize("REGISTER", claimed, b"", b"\x01"));
            let expected = if expected {
                Ok(())
            } else {
                Err(Refusal::OtherUri)
            };
            assert_eq!(
                check(&mut server, START, &request),
                expected,
                "{claimed} {uri_check:?}"
            );
        }
    }
}

#[test]
fn auth_int_covers_the_body() {
    let mut server = server(ServerOptions::default());
    let challenge = server.challenges(START, false);
    let challenge = Challenge::from_value(&challenge[1])
        .expect("ours")
        .expect("known");
    let challenge = Challenge {
        qop: vec![crate::digest::Qop::AuthInt],
        ..challenge
    };
    let mut phone = Client::answering(challenge, Side::Server, "100", &Secret::new("pw"));
    let mut request = register(phone.authorize("REGISTER", "sip:box.example", b"body", b"\x01"));
    assert_eq!(
        check(&mut server, START, &request),
        Err(Refusal::WrongResponse)
    );
    request.body = "body".into();
    assert_eq!(check(&mut server, START, &request), Ok(()));
}

#[test]
fn a_count_in_capitals_is_hashed_as_it_was_sent() {
    let mut server = server(ServerOptions::default());
    let mut phone = phone(&mut server, START, Algorithm::Md5);
    let value = answer(&mut phone);
    let mut credentials = Credentials::from_value(&value)
        .expect("ours")
        .expect("known");
    credentials.nc = "0000000A".into();
    let ha1 = Ha1::new(Algorithm::Md5, "100", "box", &Secret::new("pw"));
    credentials.response = crate::digest::hash::response(&ha1, &credentials, "REGISTER", b"");
    let request = register(credentials.to_value());
    assert_eq!(check(&mut server, START, &request), Ok(()));
}

#[test]
fn credentials_of_other_realms_and_schemes_are_passed_over() {
    let mut server = server(ServerOptions::default());
    let mut phone = phone(&mut server, START, Algorithm::Sha256);
    let ours = answer(&mut phone);
    let mut request = register("Basic dXNlcjpwYXNz");
    request.headers.push(
        HeaderName::Authorization,
        r#"Digest username="x", realm="elsewhere", nonce="n", uri="sip:b", response="0""#,
    );
    request.headers.push(HeaderName::Authorization, ours);
    assert_eq!(check(&mut server, START, &request), Ok(()));
    let none = register("Digest username=\"x\"");
    assert_eq!(
        server.credentials(&none.headers, &HeaderName::Authorization),
        None
    );
}
