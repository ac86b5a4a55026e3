//! Who agrees on encryption with whom (RFC 4568), and how it is written.

use model::{SrtpPolicy, SrtpSuite};

use super::*;

/// A leg by a policy, with keys of its own; `private`: its signalling can't be read on its way.
fn leg_by(policy: SrtpPolicy, private: bool, seed: u8) -> Negotiation {
    let mut keys = KeySource::new(&[seed; 32]);
    let capabilities = Capabilities {
        encryption: Encryption::new(policy, private, &mut keys),
        ..capabilities(&[PCMA])
    };
    Negotiation::new(1001, capabilities)
}

/// What both agree on: the transport, and whether it is encrypted. None where the offer is refused.
fn agreed(one: &mut Negotiation, other: &mut Negotiation) -> Option<(Protocol, bool)> {
    let offer = one.offer().expect("nothing is open");
    if let Err(error) = other.offer_received(&offer) {
        assert_eq!(error.status(), 488);
        one.rollback();
        return None;
    }
    let answered = other.answer().expect("it was taken");
    let theirs = answered.media.expect("there is a stream");
    let ours = one.answer_received(&answered.body).expect("it fits");
    let ours = ours.expect("there is a stream");
    assert_eq!(ours.srtp.is_some(), theirs.srtp.is_some());
    if let (Some(ours), Some(theirs)) = (ours.srtp, theirs.srtp) {
        assert_eq!((ours.send, ours.receive), (theirs.receive, theirs.send));
        assert_ne!(ours.send, ours.receive);
    }
    let protocol = parse(&answered.body).media[0].protocol.clone();
    Some((protocol, ours.srtp.is_some()))
}

#[test]
fn policies_meet() {
    use Protocol::{RtpAvp, RtpSavp};
    use SrtpPolicy::{Off, Offered, Required};
    for (offerer, private, answerer, result) in [
        (Off, true, Off, Some((RtpAvp, false))),
        (Off, true, Offered, Some((RtpAvp, false))),
        (Off, true, Required, None),
        (Offered, true, Off, Some((RtpAvp, false))),
        (Offered, true, Offered, Some((RtpAvp, true))),
        (Offered, true, Required, Some((RtpAvp, true))),
        (Offered, false, Offered, Some((RtpAvp, false))),
        (Offered, false, Required, None),
        (Required, false, Off, None),
        (Required, false, Offered, Some((RtpSavp, true))),
        (Required, true, Required, Some((RtpSavp, true))),
    ] {
        let mut one = leg_by(offerer, private, 1);
        let mut other = leg_by(answerer, false, 2);
        let met = agreed(&mut one, &mut other);
        assert_eq!(met, result, "{offerer:?} {private} {answerer:?}");
        if met.is_none() {
            continue;
        }
        // Whoever offers next, nothing changes.
        let (mine, theirs) = (one.current().cloned(), other.current().cloned());
        let version = one.local_description().map(|sent| sent.origin.version);
        assert_eq!(agreed(&mut one, &mut other), result);
        assert_eq!(
            one.local_description().map(|sent| sent.origin.version),
            version
        );
        assert_eq!(agreed(&mut other, &mut one), result);
        let srtp = |media: Option<&Negotiated>| media.and_then(|media| media.srtp);
        assert_eq!(srtp(one.current()), srtp(mine.as_ref()));
        assert_eq!(srtp(other.current()), srtp(theirs.as_ref()));
    }
}

/// An offer of a phone over this transport, with these keys.
fn offer(protocol: &str, keys: &str) -> Vec<u8> {
    body(&format!(
        "v=0
        o=- 1 1 IN IP4 192.0.2.9
        s=-
        c=IN IP4 192.0.2.9
        t=0 0
        m=audio 5000 {protocol} 8
        {keys}"
    ))
}

const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

#[test]
fn the_first_line_that_we_can_is_answered_under_its_tag() {
    let mut ours = leg_by(SrtpPolicy::Offered, false, 1);
    let keys = format!(
        "a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}
        a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4
        a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^31
        a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"
    );
    let (answer, media) = exchange(&mut ours, &offer("RTP/SAVPF", &keys));
    let srtp = media.expect("a stream").srtp.expect("encrypted");
    assert_eq!(srtp.receive.suite(), SrtpSuite::AesCm128HmacSha1_32);
    assert_eq!(answer.media[0].protocol, Protocol::RtpSavpf);
    let text = String::from_utf8(answer.to_bytes().to_vec()).expect("text");
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("crypto"))
        .collect();
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:"),
        "{text}"
    );
    assert!(!text.contains(KEY), "our key is our own");
}

#[test]
fn without_a_key_that_we_can_it_is_in_the_clear_or_refused() {
    let unknown = format!("a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}");
    for (policy, protocol, keys, taken) in [
        (SrtpPolicy::Offered, "RTP/AVP", unknown.as_str(), true),
        (SrtpPolicy::Offered, "RTP/SAVP", &unknown, false),
        (SrtpPolicy::Offered, "RTP/SAVP", "a=sendrecv", false),
        (SrtpPolicy::Required, "RTP/AVP", &unknown, false),
        (SrtpPolicy::Off, "RTP/AVP", &unknown, true),
        (SrtpPolicy::Off, "RTP/SAVP", &unknown, false),
    ] {
        let mut ours = leg_by(policy, true, 1);
        let received = ours.offer_received(&offer(protocol, keys)).map(drop);
        assert_eq!(received.is_ok(), taken, "{policy:?} {protocol} {keys}");
        if taken {
            let answered = ours.answer().expect("it was taken");
            assert_eq!(answered.media.expect("a stream").srtp, None);
        }
    }
}

#[test]
fn what_must_be_encrypted_is_not_answered_in_the_clear() {
    let mut ours = leg_by(SrtpPolicy::Required, true, 1);
    ours.offer().expect("nothing is open");
    for answer in [offer("RTP/AVP", ""), offer("RTP/SAVP", "")] {
        assert!(ours.answer_received(&answer).is_err());
    }
    let good = offer(
        "RTP/SAVP",
        &format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
    );
    assert!(ours.answer_received(&good).is_ok(), "it may still come");
    // An answer with keys that nobody offered is in the clear.
    let mut ours = leg_by(SrtpPolicy::Offered, false, 1);
    ours.offer().expect("nothing is open");
    let keys = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}");
    let media = ours.answer_received(&offer("RTP/AVP", &keys));
    assert_eq!(media.expect("it fits").expect("a stream").srtp, None);
}

#[test]
fn an_answer_takes_one_of_our_lines_with_a_key_of_its_own() {
    let suite = "AES_CM_128_HMAC_SHA1_80";
    let (mut ours, tag, line) = offered(SrtpPolicy::Required, suite);
    let echo = offer("RTP/SAVP", &format!("a=crypto:{tag} {line}"));
    assert!(ours.answer_received(&echo).is_err(), "our own key");
    let good = offer("RTP/SAVP", &format!("a=crypto:{tag} {suite} inline:{KEY}"));
    let srtp = ours.answer_received(&good).map(suites);
    assert_eq!(srtp, Ok(Some([SrtpSuite::AesCm128HmacSha1_80; 2])));
}

#[test]
fn an_answer_is_known_by_its_suite_whatever_its_tag() {
    let suite = "AES_CM_128_HMAC_SHA1_32";
    for policy in [SrtpPolicy::Required, SrtpPolicy::Offered] {
        let (_, tag, _) = offered(policy, suite);
        for tag in [if tag == "1" { "2" } else { "1" }, "9"] {
            let (mut ours, ..) = offered(policy, suite);
            let answer = offer("RTP/SAVP", &format!("a=crypto:{tag} {suite} inline:{KEY}"));
            let srtp = ours.answer_received(&answer).map(suites);
            assert_eq!(srtp, Ok(Some([SrtpSuite::AesCm128HmacSha1_32; 2])), "{tag}");
        }
        // Our own key is no more theirs under another tag.
        let (mut ours, _, line) = offered(policy, suite);
        let echo = offer("RTP/AVP", &format!("a=crypto:9 {line}"));
        assert!(ours.answer_received(&echo).is_err());
    }
}

#[test]
fn keys_that_can_not_be_used_answer_no_offer_of_keys() {
    let usual = "AES_CM_128_HMAC_SHA1_80";
    for unusable in [
        format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
        format!("1 {usual} inline:{KEY}|2^20|1:4"),
        format!("1 {usual} inline:{KEY} UNENCRYPTED_SRTP"),
        format!("1 {usual} inline:c2hvcnQ="),
        "nonsense".to_owned(),
    ] {
        let (mut ours, ..) = offered(SrtpPolicy::Offered, usual);
        let answer = offer("RTP/AVP", &format!("a=crypto:{unusable}"));
        assert!(ours.answer_received(&answer).is_err(), "{unusable}");
        // One that can beside them is enough, and so is none.
        let keys = format!("a=crypto:{unusable}\na=crypto:2 {usual} inline:{KEY}");
        let srtp = ours.answer_received(&offer("RTP/AVP", &keys)).map(suites);
        assert_eq!(srtp, Ok(Some([SrtpSuite::AesCm128HmacSha1_80; 2])));
        let (mut ours, ..) = offered(SrtpPolicy::Offered, usual);
        let srtp = ours.answer_received(&offer("RTP/AVP", "")).map(suites);
        assert_eq!(srtp, Ok(None));
    }
}

/// A leg whose offer has keys is open; tag and line of this suite in it.
fn offered(policy: SrtpPolicy, suite: &str) -> (Negotiation, String, String) {
    let mut ours = leg_by(policy, true, 1);
    let offer = ours.offer().expect("nothing is open");
    let text = String::from_utf8(offer.to_vec()).expect("text");
    let (tag, line) = (text.lines())
        .filter_map(|line| line.strip_prefix("a=crypto:")?.split_once(' '))
        .find(|(_, line)| line.split(' ').next() == Some(suite))
        .expect("each suite has one");
    (ours, tag.to_owned(), line.to_owned())
}

/// By which suites is sent and received.
fn suites(media: Option<Negotiated>) -> Option<[SrtpSuite; 2]> {
    let srtp = media.expect("a stream").srtp?;
    Some([srtp.send.suite(), srtp.receive.suite()])
}

#[test]
fn our_own_key_is_nobody_elses() {
    let mut ours = leg_by(SrtpPolicy::Required, true, 1);
    let offered = ours.offer().expect("nothing is open");
    ours.rollback();
    let text = String::from_utf8(offered.to_vec()).expect("text");
    let keys: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("crypto"))
        .collect();
    let echoed = offer("RTP/SAVP", &keys.join("\n"));
    assert!(ours.offer_received(&echoed).is_err());
}

#[test]
fn a_call_for_help_takes_an_answer_in_the_clear_and_others_do_not() {
    let mut keys = KeySource::new(&[1; 32]);
    let encryption = Encryption::new(SrtpPolicy::Required, false, &mut keys);
    let mut ours = Negotiation::new(
        1001,
        Capabilities {
            encryption: encryption.map(Encryption::lenient),
            ..capabilities(&[PCMA])
        },
    );
    let offered = ours.offer().expect("nothing is open");
    assert_eq!(parse(&offered).media[0].protocol, Protocol::RtpSavp);
    // Of the encrypted transport without a key nothing could be heard.
    assert!(ours.answer_received(&offer("RTP/SAVP", "")).is_err());
    let media = ours
        .answer_received(&offer("RTP/AVP", ""))
        .expect("it fits");
    assert_eq!(media.expect("a stream").srtp, None);
    let again = exchange(&mut ours, &offer("RTP/AVP", "")).1;
    assert_eq!(again.expect("a stream").srtp, None);
}
