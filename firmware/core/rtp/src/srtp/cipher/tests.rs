//! The standards' own examples.

use super::*;

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.as_chunks::<2>().0;
    pairs
        .iter()
        .map(|pair| {
            let pair = str::from_utf8(pair).expect("digits");
            u8::from_str_radix(pair, 16).expect("digits")
        })
        .collect()
}

fn fixed<const N: usize>(hex: &str) -> [u8; N] {
    octets(hex).try_into().expect("as many as it is to be")
}

/// RFC 3711 B.2.
#[test]
fn the_key_stream_is_the_standards() {
    let aes = Aes128Enc::new(&fixed::<16>("2B7E151628AED2A6ABF7158809CF4F3C").into());
    let start = fixed("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000");
    let mut out = [0; 48];
    counter(&aes, &start, &mut out);
    let expected = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(out, fixed(expected));
}

fn master() -> MasterKey {
    let octets = octets("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    MasterKey::new(SrtpSuite::AesCm128HmacSha1_80, &octets).expect("30 octets")
}

/// RFC 3711 B.3.
#[test]
fn session_keys_are_the_standards() {
    let key = master();
    assert_eq!(
        derived(&key, Label::RtpKey),
        fixed::<16>("C61E7A93744F39EE10734AFE3FF7A087")
    );
    assert_eq!(
        derived(&key, Label::RtpSalt),
        fixed::<14>("30CBBC08863D8C85D49DB34A9AE1")
    );
    assert_eq!(
        derived(&key, Label::RtpAuthentication),
        fixed::<94>(
            "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098
             6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2"
        )
    );
}

/// A packet under the keys of B.3, as other implementations make it.
#[test]
fn a_packet_of_counter_mode_is_everybodys() {
    let plain = octets("800F1234DECAFBADCAFEBABE ABABABABABABABABABABABABABABABAB");
    let sealed =
        octets("800F1234DECAFBADCAFEBABE 4E55DC4CE79978D88CA4D215949D2402 B78D6ACC99EA179B8DBB");
    let cipher = Cipher::new(&master());
    let mut buffer = [0; 64];
    buffer[..28].copy_from_slice(&plain);
    let len = cipher.seal_rtp(&mut buffer, 12, 28, 0xCAFE_BABE, 0x1234);
    assert_eq!(len, Ok(38));
    assert_eq!(buffer[..38], sealed);
    assert_eq!(
        cipher.open_rtp(&mut buffer[..38], 12, 0xCAFE_BABE, 0x1234),
        Ok(28)
    );
    assert_eq!(buffer[..28], plain);
}

const QUID: &str = "517569642070726F2071756F";
const GALLIA: &str = "8040F17B8041F8D35501A0B2 47616C6C696120657374206F6D6E697320646976697361 20696E207061727465732074726573";

/// RFC 7714 §16.1.1, §16.2.1.
#[test]
fn packets_of_gcm_are_the_standards() {
    let plain = octets(GALLIA);
    let salt = fixed(QUID);
    let sealed = [
        octets(
            "8040F17B8041F8D35501A0B2 F24DE3A3FB34DE6CACBA861C9D7E4BCABE633BD50D294E6F42A5F47A51C7D19B36DE3ADF8833
             899D7F27BEB16A9152CF765EE4390CCE",
        ),
        octets(
            "8040F17B8041F8D35501A0B2 32B1DE78A822FE12EF9F78FA332E33AAB18012389A58E2F3B50B2A0276FFAE0F1BA63799B87B
             7AA3DB36DFFFD6B0F9BB7878D7A76C13",
        ),
    ];
    let keys: [u8; 32] = core::array::from_fn(|n| n as u8);
    let short: [u8; 16] = core::array::from_fn(|n| n as u8);
    let one = Gcm::<Aes128Enc> {
        aead: AesGcm::new(&short.into()),
        salt,
    };
    let two = Gcm::<Aes256Enc> {
        aead: AesGcm::new(&keys.into()),
        salt,
    };
    let mut buffer = [0; 80];
    for (at, sealed) in sealed.iter().enumerate() {
        buffer[..plain.len()].copy_from_slice(&plain);
        let len = plain.len();
        let (ssrc, index) = (0x5501_A0B2, 0xF17B);
        let len = if at == 0 {
            one.seal_rtp(&mut buffer, 12, len, ssrc, index)
        } else {
            two.seal_rtp(&mut buffer, 12, len, ssrc, index)
        };
        let len = len.expect("there is room");
        assert_eq!(buffer[..len], sealed[..]);
        let opened = if at == 0 {
            one.open_rtp(&mut buffer[..len], 12, ssrc, index)
        } else {
            two.open_rtp(&mut buffer[..len], 12, ssrc, index)
        };
        assert_eq!(opened, Ok(plain.len()));
        assert_eq!(buffer[..plain.len()], plain);
    }
}

/// RFC 7714 §17.1.
#[test]
fn rtcp_of_gcm_is_the_standards() {
    let plain = octets(
        "81C8000D4D617273 4E5450314E5450325254502000 00042A0000E9304C756E61 DEADBEEFDEADBEEFDEADBEEFDEADBEEFDEADBEEF",
    );
    let sealed = octets(
        "81C8000D4D617273 63E94885DCDAB67CA727D7662F6B7E997FF5C0F76C06F32DC676A5F1730D6FDA4CE09B4686303DED0BB9275B
         C84AA45896CF4D2FC5ABF87245D9EADE 800005D4",
    );
    let key: [u8; 16] = core::array::from_fn(|n| n as u8);
    let gcm = Gcm::<Aes128Enc> {
        aead: AesGcm::new(&key.into()),
        salt: fixed(QUID),
    };
    let word = 0x8000_05D4_u32.to_be_bytes();
    let mut buffer = [0; 96];
    buffer[..plain.len()].copy_from_slice(&plain);
    let len = gcm
        .seal_rtcp(&mut buffer, plain.len(), 0x4D61_7273, word)
        .expect("there is room");
    assert_eq!(buffer[..len], sealed);
    assert_eq!(
        gcm.open_rtcp(&mut buffer[..len], 0x4D61_7273, word),
        Ok(plain.len())
    );
    assert_eq!(buffer[..plain.len()], plain);
}
