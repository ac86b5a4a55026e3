//! What the parts cost by themselves: messages, session descriptions, digest, codecs.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use dsp::g722;
use model::{Codec, Instant, Secret};
use sip::digest::{
    Algorithm, Client, DigestOffer, Ha1, NonceTable, PasswordHashes, Server, ServerOptions, Side,
};
use sip::message::{HeaderName, Limits, Message, Request};
use sip::sdp::{Capabilities, Negotiation, SessionDescription};

use crate::cost::each;
use crate::sample::{self, Parts};
use crate::table::{Figure, figure};

/// Pieces of work in a round: some ten milliseconds.
const COUNT: u32 = 2_000;

/// All of them.
pub fn run() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, text) in [("REGISTER", register()?), ("INVITE", invite()?)] {
        figures.extend(message(name, &text)?);
    }
    figures.extend(description()?);
    figures.extend(digest()?);
    figures.extend(wideband());
    Ok(figures)
}

/// G.722, 20 ms at a time: a sawtooth, which keeps both bands busy.
fn wideband() -> [Figure; 2] {
    let samples: [i16; 320] = core::array::from_fn(|n| (n as i32 * 211 % 8000 - 4000) as i16);
    let mut octets = [0; 160];
    g722::Encoder::new().encode_block(&samples, &mut octets);
    let encoding = each(COUNT, g722::Encoder::new, |encoder| {
        std::hint::black_box(encoder.encode_block(std::hint::black_box(&samples), &mut [0; 160]));
    });
    let decoding = each(COUNT, g722::Decoder::new, |decoder| {
        std::hint::black_box(decoder.decode_block(std::hint::black_box(&octets), &mut [0; 320]));
    });
    [
        figure("G.722, 20 ms: encode", encoding.text()),
        figure("  decode", decoding.text()),
    ]
}

fn message(name: &str, text: &Bytes) -> Result<[Figure; 4]> {
    let parse = || Message::parse_bytes(text, &Limits::DEFAULT);
    let parsed = parse().context("the sample is a message")?;
    ensure!(parsed.to_bytes().len() > 300, "the sample is printed whole");
    let len = text.len();
    let reading = each(COUNT, || (), |()| drop(std::hint::black_box(parse())));
    let understanding = each(
        COUNT,
        || (),
        |()| {
            if let Ok(Message::Request(request)) = parse() {
                drop(std::hint::black_box(request.essentials()));
            }
        },
    );
    let printing = each(
        COUNT,
        || (),
        |()| drop(std::hint::black_box(parsed.to_bytes())),
    );
    let both = each(
        COUNT,
        || (),
        |()| drop(std::hint::black_box(parse().map(|m| m.to_bytes()))),
    );
    Ok([
        figure(&format!("{name} of {len} bytes: parse"), reading.text()),
        figure(
            "  parse, and Via, From, To, Call-ID, CSeq",
            understanding.text(),
        ),
        figure("  print", printing.text()),
        figure("  parse and print", both.text()),
    ])
}

fn description() -> Result<[Figure; 3]> {
    let caller = sample::offer("192.0.2.10:5060".parse()?, 11_780);
    let callee = sample::answer("192.0.2.20:5060".parse()?, 11_790);
    let ours = Capabilities::new("192.0.2.1:20000".parse()?, [Codec::Pcma, Codec::Pcmu]);
    let mut leg = Negotiation::new(1, ours.clone());
    leg.offer_received(caller.as_bytes())?;
    ensure!(leg.answer()?.media.is_some(), "the sample is agreed to");
    let parse = each(
        COUNT,
        || (),
        |()| {
            let parsed = SessionDescription::parse(caller.as_bytes());
            drop(std::hint::black_box(parsed));
        },
    );
    let incoming = each(
        COUNT,
        || (),
        |()| {
            let mut leg = Negotiation::new(1, ours.clone());
            let taken = leg.offer_received(caller.as_bytes()).is_ok();
            std::hint::black_box((taken, leg.answer().is_ok()));
        },
    );
    let outgoing = each(
        COUNT,
        || (),
        |()| {
            let mut leg = Negotiation::new(1, ours.clone());
            let made = leg.offer().is_ok();
            std::hint::black_box((made, leg.answer_received(callee.as_bytes()).is_ok()));
        },
    );
    Ok([
        figure(
            &format!("offer of {} bytes: parse", caller.len()),
            parse.text(),
        ),
        figure("  take it and answer (the caller's leg)", incoming.text()),
        figure(
            "  make ours and take the answer (the callee's leg)",
            outgoing.text(),
        ),
    ])
}

fn digest() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, offer, algorithm) in [
        ("MD5", DigestOffer::Md5, Algorithm::Md5),
        ("SHA-256", DigestOffer::Sha256, Algorithm::Sha256),
    ] {
        let now = Instant::from_millis(1000);
        let password = Secret::new("correct-horse");
        let ha1 = Ha1::new(algorithm, "1001", "box", &password);
        let hashes = PasswordHashes::Precomputed {
            md5: Some(ha1.clone()),
            sha256: Some(ha1),
        };
        let server = || {
            let options = ServerOptions {
                offer,
                ..ServerOptions::default()
            };
            Server::new("box", &[7; 32], options, NonceTable::default())
        };
        let challenges = server().challenges(now, false);
        let challenge = Client::choose(&challenges).context("a challenge")?;
        let mut client = Client::answering(challenge, Side::Server, "1001", &password);
        // A count may be used once, so every request has its own.
        let requests: Vec<Request> = (0..COUNT)
            .map(|_| {
                let Ok(Message::Request(mut request)) =
                    Message::parse_bytes(&register()?, &Limits::DEFAULT)
                else {
                    anyhow::bail!("the sample is a request");
                };
                let value = client.authorize("REGISTER", "sip:192.0.2.1", b"", b"cnonce42");
                request.headers.set(HeaderName::Authorization, value);
                Ok(request)
            })
            .collect::<Result<_>>()?;
        let mut proved = 0;
        let cost = each(
            COUNT,
            || (server(), requests.iter()),
            |(server, requests)| {
                let Some(request) = requests.next() else {
                    return;
                };
                let credentials = server.credentials(&request.headers, &HeaderName::Authorization);
                if let Some(credentials) = credentials
                    && server.verify(now, request, &credentials, &hashes).is_ok()
                {
                    proved += 1;
                }
            },
        );
        ensure!(proved % COUNT == 0 && proved > 0, "{proved} were proved");
        figures.push(figure(
            &format!("digest {name}: credentials read and checked"),
            cost.text(),
        ));
    }
    Ok(figures)
}

fn register() -> Result<Bytes> {
    let parts = Parts {
        method: "REGISTER",
        uri: "sip:192.0.2.1",
        to: "<sip:1001@192.0.2.1>",
        extra: "Expires: 3600\r\n",
        body: "",
        ..invitation()?
    };
    Ok(sample::request(&parts).into())
}

fn invite() -> Result<Bytes> {
    let offer = sample::offer("192.0.2.10:5060".parse()?, 11_780);
    let parts = Parts {
        extra: AS_THE_CALLER_KNOWN,
        body: &offer,
        ..invitation()?
    };
    Ok(sample::request(&parts).into())
}

/// What a phone says that has been challenged.
const AS_THE_CALLER_KNOWN: &str = "Authorization: Digest username=\"1001\", realm=\"operator-box\", nonce=\"00000000000f424000000000000000015d41402abc4b2a76b9719d911017c592\", uri=\"sip:1002@192.0.2.1\", response=\"6629fae49393a05397450978507c4ef1\", algorithm=MD5, cnonce=\"0a4f113b\", qop=auth, nc=00000001\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n";

fn invitation() -> Result<Parts<'static>> {
    Ok(Parts {
        method: "INVITE",
        uri: "sip:1002@192.0.2.1",
        here: "192.0.2.10:5060".parse()?,
        exchange: "192.0.2.1:5060".parse()?,
        user: "1001",
        to: "<sip:1002@192.0.2.1>",
        id: "0_2716634871",
        cseq: 2,
        extra: "",
        body: "",
    })
}
