//! G.711 pulse code modulation: A-law and µ-law, each way, and straight from one law to the other.
//!
//! Owns the code tables of ITU-T G.711 (1a/1b and 2a/2b) and its conversion tables (3 and 4). Samples are 16-bit linear with the 13-bit (A) and 14-bit (µ) values left aligned, as everywhere in this
//! crate. What an RTP payload type means is left to the caller.

/// A companding law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// A-law (Europe and most of the world), RTP name `PCMA`.
    A,
    /// µ-law (North America and Japan), RTP name `PCMU`.
    Mu,
}

impl Law {
    /// The octet of one sample.
    #[inline]
    #[must_use]
    pub fn encode(self, sample: i16) -> u8 {
        match self {
            Law::A => linear_to_a(sample),
            Law::Mu => linear_to_mu(sample),
        }
    }

    /// The sample of one octet.
    #[inline]
    #[must_use]
    pub fn decode(self, octet: u8) -> i16 {
        self.table()[usize::from(octet)]
    }

    /// Encodes as many samples as both slices hold; returns that number.
    pub fn encode_block(self, samples: &[i16], octets: &mut [u8]) -> usize {
        match self {
            Law::A => convert(samples, octets, linear_to_a),
            Law::Mu => convert(samples, octets, linear_to_mu),
        }
    }

    /// Decodes as many octets as both slices hold; returns that number.
    pub fn decode_block(self, octets: &[u8], samples: &mut [i16]) -> usize {
        let table = self.table();
        convert(octets, samples, |octet| table[usize::from(octet)])
    }

    /// The octet sent for silence: positive zero with the even bits inverted (A), or all ones (µ).
    #[must_use]
    pub const fn silence(self) -> u8 {
        match self {
            Law::A => 0xD5,
            Law::Mu => 0xFF,
        }
    }

    /// Whether a block of octets is quieter on average than about -46 dBov: a pause in speech, where a frame may be
    /// dropped or doubled unheard.
    #[must_use]
    pub fn is_silent(self, octets: &[u8]) -> bool {
        let table = self.table();
        let sum: u64 = octets
            .iter()
            .map(|&o| u64::from(table[usize::from(o)].unsigned_abs()))
            .sum();
        sum <= QUIET_MEAN * octets.len() as u64
    }

    #[inline]
    fn table(self) -> &'static [i16; 256] {
        match self {
            Law::A => &A_TO_LINEAR,
            Law::Mu => &MU_TO_LINEAR,
        }
    }
}

/// Turns octets of one law into the other, octet by octet, without a detour over samples; returns how many.
pub fn transcode(from: Law, to: Law, input: &[u8], output: &mut [u8]) -> usize {
    match (from, to) {
        (Law::A, Law::Mu) => convert(input, output, |octet| A_TO_MU[usize::from(octet)]),
        (Law::Mu, Law::A) => convert(input, output, |octet| MU_TO_A[usize::from(octet)]),
        (Law::A, Law::A) | (Law::Mu, Law::Mu) => convert(input, output, |octet| octet),
    }
}

fn convert<X: Copy, Y>(input: &[X], output: &mut [Y], f: impl Fn(X) -> Y) -> usize {
    for (out, &value) in output.iter_mut().zip(input) {
        *out = f(value);
    }
    input.len().min(output.len())
}

/// Mean magnitude of a pause: 0.5 % of full scale.
const QUIET_MEAN: u64 = 160;

static A_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = a_to_linear(octet as u8);
        octet += 1;
    }
    table
};

static MU_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = mu_to_linear(octet as u8);
        octet += 1;
    }
    table
};

static A_TO_MU: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let a = octet as u8;
        let value = A_TO_MU_VALUES[((a ^ 0x55) & 0x7F) as usize];
        table[octet] = (value ^ 0x7F) | (a & 0x80);
        octet += 1;
    }
    table
};

static MU_TO_A: [u8; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let mu = octet as u8;
        let value = MU_TO_A_VALUES[((mu ^ 0x7F) & 0x7F) as usize];
        table[octet] = ((value - 1) ^ 0x55) | (mu & 0x80);
        octet += 1;
    }
    table
};

// G.711 table 1a, with the even bits inverted (note 2 there).
const fn linear_to_a(sample: i16) -> u8 {
    let magnitude = if sample < 0 { !sample } else { sample };
    let mut mantissa = (magnitude >> 4) as u16;
    let mut octet = mantissa;
    if mantissa > 15 {
        let mut segment = 1;
        while mantissa > 31 {
            mantissa >>= 1;
            segment += 1;
        }
        octet = (mantissa - 16) | (segment << 4);
    }
    let sign = if sample < 0 { 0 } else { 0x80 };
    (octet as u8 | sign) ^ 0x55
}

const fn a_to_linear(octet: u8) -> i16 {
    let bits = octet ^ 0x55;
    let segment = (bits >> 4) & 7;
    let step = (bits & 0x0F) as i16;
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if bits & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    }
}

// G.711 table 2a: 14-bit values, biased by 33.
const fn linear_to_mu(sample: i16) -> u8 {
    let magnitude = (if sample < 0 { !sample } else { sample }) >> 2;
    let biased = if magnitude + 33 > 0x1FFF {
        0x1FFF
    } else {
        magnitude + 33
    };
    let mut segment = 0;
    while biased >> (segment + 6) != 0 {
        segment += 1;
    }
    let step = (biased >> (segment + 1)) as u8 & 0x0F;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (segment << 4) | step)
}

const fn mu_to_linear(octet: u8) -> i16 {
    let bits = !octet;
    let segment = (bits >> 4) & 7;
    let magnitude = (((((bits & 0x0F) as i16) << 3) + 0x84) << segment) - 0x84;
    if bits & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

/// G.711 table 4: A-law value number less one, to µ-law value number.
const A_TO_MU_VALUES: [u8; 128] = [
    1, 3, 5, 7, 9, 11, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, //
    24, 25, 26, 27, 28, 29, 30, 31, 32, 32, 33, 33, 34, 34, 35, 35, //
    36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 48, 49, 49, //
    50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 64, //
    65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, //
    80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, //
    96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, //
    112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127,
];

/// G.711 table 3: µ-law value number, to A-law value number.
const MU_TO_A_VALUES: [u8; 128] = [
    1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, //
    9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, //
    25, 27, 29, 31, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, //
    46, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, //
    64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, //
    80, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, //
    97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, //
    113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_virtual_decision_values_of_the_tables_hold() {
        // G.711 tables 1a and 2a, column "quantized value": first, some, last of each law.
        assert_eq!(Law::A.decode(0xD5), 8);
        assert_eq!(Law::A.decode(0x55), -8);
        assert_eq!(Law::A.decode(0xAA), 4032 * 8);
        assert_eq!(Law::A.decode(0x2A), -4032 * 8);
        assert_eq!(Law::Mu.decode(0xFF), 0);
        assert_eq!(Law::Mu.decode(0x7F), 0);
        assert_eq!(Law::Mu.decode(0x80), 8031 * 4);
        assert_eq!(Law::Mu.decode(0x00), -8031 * 4);
        assert_eq!(Law::Mu.decode(0xFE), 8);
        assert_eq!(Law::A.encode(0), 0xD5);
        assert_eq!(Law::Mu.encode(0), 0xFF);
        assert_eq!(Law::A.encode(i16::MIN), 0x2A);
        assert_eq!(Law::Mu.encode(i16::MAX), 0x80);
    }

    /// Checksums over all values, computed once with implementations not ours: the decoders and the A-law encoder of
    /// CPython's `audioop`, the µ-law encoder of the ITU-T G.191 software tools (which differ from `audioop` in
    /// which side 508 negative samples fall that lie exactly on a decision value).
    #[test]
    fn every_value_is_as_other_implementations_have_it() {
        let fnv = |octets: &mut dyn Iterator<Item = u8>| {
            octets.fold(0x811C_9DC5_u32, |hash, octet| {
                (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193)
            })
        };
        let encoded = |law: Law| fnv(&mut (i16::MIN..=i16::MAX).map(|sample| law.encode(sample)));
        let decoded =
            |law: Law| fnv(&mut (0..=255).flat_map(|octet| law.decode(octet).to_le_bytes()));
        assert_eq!(
            (encoded(Law::A), encoded(Law::Mu)),
            (0x826F_E2C5, 0xD161_F34D)
        );
        assert_eq!(
            (decoded(Law::A), decoded(Law::Mu)),
            (0x12FB_6645, 0x715D_95A8)
        );
    }

    #[test]
    fn every_octet_survives_decoding_and_encoding() {
        for law in [Law::A, Law::Mu] {
            for octet in 0..=255 {
                let back = law.encode(law.decode(octet));
                // µ-law has two zeros; the negative one comes back as the positive.
                let expected = if law == Law::Mu && octet == 0x7F {
                    0xFF
                } else {
                    octet
                };
                assert_eq!(back, expected, "{law:?} {octet:#04x}");
            }
        }
    }

    #[test]
    fn every_sample_goes_to_its_nearest_quantized_value() {
        for law in [Law::A, Law::Mu] {
            let mut last = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let decoded = law.decode(law.encode(sample));
                assert!(decoded >= last, "{law:?} is not monotonic at {sample}");
                last = decoded;
                let error = (i32::from(decoded) - i32::from(sample)).abs();
                let step = (i32::from(sample).abs() + 132) / 16;
                assert!(
                    error <= step / 2 + 8 || error <= 644,
                    "{law:?} {sample} -> {decoded}"
                );
            }
        }
    }

    #[test]
    fn transcoding_agrees_with_decoding_and_encoding_within_one_step() {
        for octet in 0..=255 {
            let mut out = [0];
            assert_eq!(transcode(Law::A, Law::Mu, &[octet], &mut out), 1);
            assert_one_step(out[0], Law::Mu.encode(Law::A.decode(octet)));
            assert_eq!(transcode(Law::Mu, Law::A, &[octet], &mut out), 1);
            assert_one_step(out[0] ^ 0x55, Law::A.encode(Law::Mu.decode(octet)) ^ 0x55);
        }
    }

    fn assert_one_step(got: u8, plain: u8) {
        // µ-law's negative zero has a sign in the table and none as a sample.
        assert!(
            got & 0x80 == plain & 0x80 || got & 0x7F == 0x00,
            "sign of {got:#04x}"
        );
        assert!(
            (got & 0x7F).abs_diff(plain & 0x7F) <= 1,
            "{got:#04x} is far from {plain:#04x}"
        );
    }

    #[test]
    fn silence_stays_silence() {
        let mut out = [0; 4];
        transcode(Law::A, Law::Mu, &[Law::A.silence(); 4], &mut out);
        assert!(Law::Mu.is_silent(&out));
        assert!(Law::A.is_silent(&[Law::A.silence(); 160]));
        assert!(!Law::A.is_silent(&[Law::A.encode(3000); 160]));
        assert!(Law::A.is_silent(&[]));
    }

    #[test]
    fn blocks_convert_what_both_hold() {
        let mut octets = [0; 3];
        assert_eq!(Law::Mu.encode_block(&[1000, -1000], &mut octets), 2);
        let mut samples = [0; 1];
        assert_eq!(Law::Mu.decode_block(&octets, &mut samples), 1);
        assert!((samples[0] - 1000).abs() < 32);
    }
}
