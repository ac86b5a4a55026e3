//! RFC 7616 §3.9, RFC 2617 §3.5, and Kamailio's and Asterisk's ways of writing challenges.

use model::Secret;

use crate::digest::hash::response;
use crate::digest::{Algorithm, Challenge, Client, Credentials, Ha1, Qop, Side};
use crate::message::{AuthValue, Field, HeaderName, Response, StatusCode};

fn mufasa(algorithm: Algorithm) -> Credentials {
    Credentials {
        username: "Mufasa".into(),
        realm: "http-auth@example.org".into(),
        nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
        uri: "/dir/index.html".into(),
        response: String::new(),
        algorithm,
        cnonce: Some("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into()),
        opaque: Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS".into()),
        qop: Some(Qop::Auth),
        nc: "00000001".into(),
    }
}

fn answer(credentials: &Credentials, password: &str) -> String {
    let password = Secret::new(password);
    let (user, realm) = (&credentials.username, &credentials.realm);
    let ha1 = Ha1::new(credentials.algorithm, user, realm, &password);
    response(&ha1, credentials, "GET", b"")
}

#[test]
fn rfc_7616_3_9_1() {
    for (algorithm, expected) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            Algorithm::Sha256,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ] {
        assert_eq!(
            answer(&mufasa(algorithm), "Circle of Life"),
            expected,
            "{algorithm}"
        );
    }
}

#[test]
fn sha_512_256_is_that_of_fips_180_4() {
    // RFC 7616 §3.9.2 means SHA-512 cut in half: its `userhash` comes out that way and its
    // `response` (errata 4897) is disputed. Implementations take the hash of FIPS 180-4, as here.
    assert_eq!(
        Algorithm::Sha512T256.hash(&[b"abc"]),
        "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
    );
}

#[test]
fn rfc_2617_3_5() {
    let credentials = Credentials {
        realm: "testrealm@host.com".into(),
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".into(),
        cnonce: Some("0a4f113b".into()),
        ..mufasa(Algorithm::Md5)
    };
    assert_eq!(
        answer(&credentials, "Circle Of Life"),
        "6629fae49393a05397450978507c4ef1"
    );
    // RFC 2069's form of the same (its own example has a known erratum, so the hash of RFC 2617's
    // parts: H(H(A1):nonce:H(A2))).
    let old = Credentials {
        qop: None,
        nc: String::new(),
        cnonce: None,
        ..credentials
    };
    assert_eq!(
        answer(&old, "Circle Of Life"),
        "670fd8c2df070c60b045671b8b24ff02"
    );
}

fn challenge(text: &str) -> Option<Challenge> {
    let value = AuthValue::parse(text.as_bytes()).expect("readable");
    Challenge::from_value(&value).expect("a challenge")
}

#[test]
fn challenges_of_the_field() {
    let asterisk = challenge(
        r#"Digest algorithm=MD5, realm="asterisk", nonce="1668/00ab", opaque="5ccc", qop="auth""#,
    )
    .expect("known");
    assert_eq!(
        (asterisk.algorithm, asterisk.qop),
        (Algorithm::Md5, vec![Qop::Auth])
    );
    let kamailio = challenge(
        r#"Digest realm="a, b", nonce="Y3", qop="auth, auth-int", algorithm=sha-256, stale=TRUE"#,
    )
    .expect("known");
    assert_eq!(kamailio.realm, "a, b");
    assert_eq!(kamailio.qop, [Qop::Auth, Qop::AuthInt]);
    assert!(kamailio.stale && kamailio.algorithm == Algorithm::Sha256);
    let old = challenge(r#"digest realm="r", nonce="n""#).expect("known");
    assert_eq!((old.algorithm, old.qop.len()), (Algorithm::Md5, 0));
    assert_eq!(
        challenge(r#"Digest realm="r", nonce="n", algorithm=AKAv1-MD5"#),
        None
    );
    assert_eq!(
        challenge(r#"Digest realm="r", nonce="n", qop="token""#),
        None
    );
    assert_eq!(challenge(r#"Bearer realm="r""#), None);
}

#[test]
fn a_challenge_and_credentials_are_read_back_the_same() {
    let challenge = Challenge {
        realm: "a \"b\", c".into(),
        nonce: "n".into(),
        opaque: Some(String::new()),
        stale: true,
        algorithm: Algorithm::Sha512T256Sess,
        qop: vec![Qop::AuthInt, Qop::Auth],
    };
    let value = AuthValue::parse(challenge.to_value().to_string().as_bytes()).expect("readable");
    assert_eq!(Challenge::from_value(&value), Ok(Some(challenge)));
    let credentials = Credentials {
        response: "00".into(),
        ..mufasa(Algorithm::Sha256)
    };
    let value = AuthValue::parse(credentials.to_value().to_string().as_bytes()).expect("readable");
    assert_eq!(Credentials::from_value(&value), Ok(Some(credentials)));
}

#[test]
fn the_strongest_challenge_is_chosen_and_its_field_answered() {
    let mut refusal = Response::new(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    for value in [
        "Basic realm=\"r\"",
        "Digest realm=\"r\", nonce=\"md5\", qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"sha\", algorithm=SHA-256, qop=\"auth\"",
        "Digest realm=\"r\", nonce=\"odd\", algorithm=SHA-3, qop=\"auth\"",
    ] {
        refusal.headers.push(HeaderName::ProxyAuthenticate, value);
    }
    let mut client = Client::new(&refusal, "u", &Secret::new("p")).expect("one can be answered");
    assert_eq!(client.header_name(), HeaderName::ProxyAuthorization);
    let value = client.authorize("INVITE", "sip:a@b", b"", b"\x01\x02");
    assert_eq!(value.params.value("nonce"), Some("sha"));
    assert_eq!(value.params.value("cnonce"), Some("0102"));
    assert_eq!(value.params.value("nc"), Some("00000001"));
    let next = client.authorize("INVITE", "sip:a@b", b"", b"\x03");
    assert_eq!(next.params.value("nc"), Some("00000002"));
    assert!(
        Client::new(
            &Response::new(StatusCode::UNAUTHORIZED),
            "u",
            &Secret::new("p")
        )
        .is_err()
    );
}

#[test]
fn a_client_of_a_server_of_rfc_2069_sends_no_count() {
    let challenge = challenge(r#"Digest realm="r", nonce="n""#).expect("known");
    let mut client = Client::answering(challenge, Side::Server, "u", &Secret::new("p"));
    let value = client.authorize("REGISTER", "sip:b", b"", b"\x01");
    for absent in ["qop", "nc", "cnonce"] {
        assert!(!value.params.contains(absent), "{absent}");
    }
}
