//! Keys of SRTP in the description: `a=crypto` (RFC 4568), and the keys that we give out.
//!
//! Of the session parameters (§6.3) none but the ignorable ones are known; a line with another one, with an MKI or with
//! several keys is passed over, as §5.1.2 has it.

use std::sync::Arc;

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, Engine as _};
use hmac::{Hmac, KeyInit, Mac};
use model::{MasterKey, MasterKeys, Secret, SrtpPolicy, SrtpSuite};
use sha2::Sha256;

use super::attribute::Attribute;
use super::media::MediaDescription;

/// Some phones leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Digits of a tag (RFC 4568 §4.1.1).
const TAG_DIGITS: usize = 9;

/// Whether and how a leg is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// Our keys, one a suite, for as long as the leg lives.
    keys: [MasterKey; SrtpSuite::ALL.len()],
    /// Our offers have keys.
    pub(super) offered: bool,
    /// Without encryption there is no sound.
    pub(super) required: bool,
    /// An answer in the clear is taken all the same: a call for help has been answered.
    pub(super) lenient: bool,
}

impl Encryption {
    /// What a leg does by this policy, whose signalling is `private` or can be read on its way: there a key is a key
    /// no more, and is told only to who asks for it.
    #[must_use]
    pub fn new(policy: SrtpPolicy, private: bool, keys: &mut KeySource) -> Option<Arc<Self>> {
        let required = match policy {
            SrtpPolicy::Off => return None,
            SrtpPolicy::Offered => false,
            SrtpPolicy::Required => true,
        };
        Some(Arc::new(Self {
            keys: keys.draw(),
            offered: required || private,
            required,
            lenient: false,
        }))
    }

    /// The same, for a call that may not fail for it: what is required is offered, and an answer in the clear taken.
    #[must_use]
    pub fn lenient(self: Arc<Self>) -> Arc<Self> {
        Arc::new(Self {
            lenient: true,
            ..Arc::unwrap_or_clone(self)
        })
    }

    fn key(&self, suite: SrtpSuite) -> Option<MasterKey> {
        self.keys.iter().copied().find(|key| key.suite() == suite)
    }

    /// The lines of an offer.
    pub(super) fn lines(&self) -> Vec<Attribute> {
        let numbered = (1..).zip(&self.keys);
        numbered.map(|(tag, key)| line(tag, key)).collect()
    }

    /// The first line of their offer that we can, and our answer to it (RFC 4568 §5.1.2).
    pub(super) fn answer(&self, theirs: &MediaDescription) -> Option<(MasterKeys, Attribute)> {
        let (tag, receive) = keys(theirs).find(|(_, key)| !self.is_ours(key))?;
        let send = self.key(receive.suite())?;
        Some((MasterKeys { send, receive }, line(tag, &send)))
    }

    /// What their answer to our lines says: one of our suites, with a key of their own (RFC 4568 §5.1.3). We offer
    /// each suite once, so it is known by that; some gateways answer under a tag that they made up.
    pub(super) fn answered(&self, theirs: &MediaDescription) -> Option<MasterKeys> {
        let (_, receive) = keys(theirs).next()?;
        let send = self.key(receive.suite())?;
        (!self.is_ours(&receive)).then_some(MasterKeys { send, receive })
    }

    /// Who sends our key back would have both directions encrypted with the same numbers (RFC 3711 §9.1).
    fn is_ours(&self, key: &MasterKey) -> bool {
        self.keys.iter().any(|ours| ours.octets() == key.octets())
    }
}

/// The keys of a line of media that can be used, with their tags.
fn keys(media: &MediaDescription) -> impl Iterator<Item = (u32, MasterKey)> {
    media
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            Attribute::Crypto(value) => parse(value.expose()),
            _ => None,
        })
}

/// The line has keys, whether they can be used or not.
pub(super) fn has_keys(media: &MediaDescription) -> bool {
    let mut attributes = media.attributes.iter();
    attributes.any(|attribute| matches!(attribute, Attribute::Crypto(_)))
}

/// `<tag> <suite> inline:<key and salt>[|<lifetime>] [<session parameters>]` (RFC 4568 §9.2).
fn parse(value: &str) -> Option<(u32, MasterKey)> {
    let mut words = value.split_ascii_whitespace();
    let tag = words.next().filter(|tag| tag.len() <= TAG_DIGITS)?;
    let tag: u32 = tag.parse().ok()?;
    let name = words.next()?;
    let suite =
        (SrtpSuite::ALL.into_iter()).find(|suite| suite.name().eq_ignore_ascii_case(name))?;
    let (method, key) = words.next()?.split_once(':')?;
    if !method.eq_ignore_ascii_case("inline") || key.contains(';') {
        return None;
    }
    let mut parts = key.split('|');
    let octets = LENIENT.decode(parts.next()?).ok()?;
    // §6.1: a lifetime has no colon, an MKI has one.
    if parts.any(|part| part.contains(':')) || words.any(|word| !is_ignorable(word)) {
        return None;
    }
    Some((tag, MasterKey::new(suite, &octets)?))
}

/// §6.3.7: what begins with a hyphen may be passed over; §6.3.6: so may the size of the window.
fn is_ignorable(parameter: &str) -> bool {
    let wsh = parameter.get(..4);
    parameter.starts_with('-') || wsh.is_some_and(|wsh| wsh.eq_ignore_ascii_case("WSH="))
}

fn line(tag: u32, key: &MasterKey) -> Attribute {
    let inline = STANDARD.encode(key.octets());
    let name = key.suite().name();
    Attribute::Crypto(Secret::new(format!("{tag} {name} inline:{inline}")))
}

/// Draws keys from a secret: nobody who knows some of them knows another.
#[derive(Clone)]
pub struct KeySource {
    secret: [u8; 32],
    drawn: u64,
}

impl KeySource {
    /// From the seed of the exchange, which has to be random.
    #[must_use]
    pub const fn new(seed: &[u8; 32]) -> Self {
        Self {
            secret: *seed,
            drawn: 0,
        }
    }

    /// A key for each suite, never drawn before.
    fn draw(&mut self) -> [MasterKey; SrtpSuite::ALL.len()] {
        self.drawn += 1;
        SrtpSuite::ALL.map(|suite| {
            let mut octets = [0; 64];
            for (part, out) in (0_u8..).zip(octets.chunks_mut(32)) {
                out.copy_from_slice(&self.block(suite, part));
            }
            let len = suite.key_len() + suite.salt_len();
            MasterKey::new(suite, octets.split_at(len).0).expect("cut to the suite's length")
        })
    }

    fn block(&self, suite: SrtpSuite, part: u8) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret)
            .expect("HMAC takes a key of any length");
        mac.update(b"SRTP master key");
        mac.update(suite.name().as_bytes());
        mac.update(&self.drawn.to_be_bytes());
        mac.update(&[part]);
        mac.finalize().into_bytes().into()
    }
}

impl core::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeySource(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";

    fn suite(value: &str) -> Option<SrtpSuite> {
        parse(value).map(|(_, key)| key.suite())
    }

    #[test]
    fn lines_of_the_standard_and_of_phones_are_read() {
        let usual = Some(SrtpSuite::AesCm128HmacSha1_80);
        // RFC 4568 §4.3 without its MKI.
        for value in [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^48 WSH=64"),
            format!("1 aes_cm_128_hmac_sha1_80 INLINE:{KEY} -X=1"),
            format!("1  AES_CM_128_HMAC_SHA1_80   inline:{KEY}|1048576"),
        ] {
            assert_eq!(suite(&value), usual, "{value}");
        }
        let unpadded =
            "7 AEAD_AES_256_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis";
        for value in [unpadded, &format!("{unpadded}=")] {
            let (tag, key) = parse(value).expect("a key of 44 octets");
            assert_eq!((tag, key.suite()), (7, SrtpSuite::AeadAes256Gcm));
            assert_eq!(key.salt(), (32..44).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn what_we_can_not_is_passed_over() {
        for value in [
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"),
            format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTCP"),
            format!("1 F8_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1234567890 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("AES_CM_128_HMAC_SHA1_80 inline:{KEY}"),
            format!("1 AEAD_AES_128_GCM inline:{KEY}"),
            format!("1 AES_CM_128_HMAC_SHA1_80 key:{KEY}"),
            "1 AES_CM_128_HMAC_SHA1_80 inline:".to_owned(),
            "1 AES_CM_128_HMAC_SHA1_80".to_owned(),
            String::new(),
        ] {
            assert_eq!(suite(&value), None, "{value}");
        }
    }

    #[test]
    fn no_key_is_drawn_twice_and_none_is_shown() {
        let mut source = KeySource::new(&[7; 32]);
        let mut drawn = Vec::new();
        for _ in 0..100 {
            for key in source.draw() {
                assert!(!drawn.contains(&key.octets()[..16].to_vec()));
                drawn.push(key.octets()[..16].to_vec());
            }
        }
        let mut again = KeySource::new(&[7; 32]);
        assert_eq!(
            again.draw()[0].octets()[..16],
            drawn[0],
            "by the seed alone"
        );
        let one = Encryption::new(SrtpPolicy::Required, true, &mut again).expect("it is on");
        let shown = format!("{one:?} {source:?} {:?}", one.lines());
        assert!(!shown.contains("inline"), "{shown}");
        assert_eq!(Encryption::new(SrtpPolicy::Off, true, &mut again), None);
    }
}
