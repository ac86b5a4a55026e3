//! Nonces can't be forged, counts can't be used twice, and memory is bounded.

use core::time::Duration;
use std::collections::BTreeSet;

use model::Instant;
use proptest::prelude::*;

use crate::digest::NonceTable;
use crate::digest::nonce::Nonce;

const KEY: &[u8] = b"key";

fn nonce(ms: u64) -> Nonce {
    Nonce::new(
        Instant::from_millis(ms),
        0,
        u32::try_from(ms).expect("a small number"),
    )
}

#[test]
fn a_sealed_nonce_opens_with_its_key_alone() {
    let sealed = nonce(7).sealed(KEY);
    assert_eq!(Nonce::open(&sealed, KEY), Some(nonce(7)));
    assert_eq!(Nonce::open(&sealed, b"other"), None);
    for at in 0..sealed.len() {
        let mut forged = sealed.clone().into_bytes();
        forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
        let forged = String::from_utf8(forged).expect("ASCII");
        assert_eq!(Nonce::open(&forged, KEY), None, "digit {at}");
    }
    for odd in [
        "",
        "00",
        "ü",
        &"é".repeat(32),
        &sealed[1..],
        &format!("{sealed}0"),
    ] {
        assert_eq!(Nonce::open(odd, KEY), None);
    }
}

#[test]
fn a_nonce_of_the_future_is_refused() {
    let life = Duration::from_secs(1);
    assert!(nonce(10).is_expired(Instant::from_millis(9), life));
    assert!(!nonce(10).is_expired(Instant::from_millis(1010), life));
    assert!(nonce(10).is_expired(Instant::from_millis(1011), life));
}

#[test]
fn requests_may_overtake_one_another_but_not_come_twice() {
    let mut table = NonceTable::new(4);
    for (nc, fresh) in [
        (0, false),
        (5, true),
        (3, true),
        (3, false),
        (5, false),
        (4, true),
        (70, true),
        (6, true),
        (5, false),
        (6, false),
        (69, true),
        (1000, true),
        (70, false),
        (936, true),
        (935, false),
        (u32::MAX, true),
        (u32::MAX, false),
        (u32::MAX - 64, true),
        (1, false),
    ] {
        assert_eq!(table.try_use(nonce(1), nc), fresh, "{nc}");
    }
}

#[test]
fn a_full_table_forgets_the_oldest_and_never_lets_it_in_again() {
    let mut table = NonceTable::new(2);
    for ms in [1, 2, 3] {
        assert!(table.try_use(nonce(ms), 1));
    }
    assert_eq!(table.len(), 2);
    assert!(!table.try_use(nonce(1), 2), "forgotten");
    assert!(!table.try_use(nonce(0), 1), "older than what was forgotten");
    assert!(table.try_use(nonce(3), 2));
    table.expire(Instant::from_millis(5000), Duration::from_secs(1));
    assert!(table.is_empty());
}

#[test]
fn a_busy_phone_pushes_out_nobody_else() {
    let mut table = NonceTable::default();
    assert!((0..60_000).all(|ms| table.try_use(nonce(ms), 1)));
    assert!(table.try_use(nonce(0), 2));
}

proptest! {
    #[test]
    fn no_count_passes_twice(uses in prop::collection::vec((0u64..6, 0u32..90), 0..200)) {
        let mut table = NonceTable::new(3);
        let mut seen = BTreeSet::new();
        for (ms, nc) in uses {
            if table.try_use(nonce(ms), nc) {
                prop_assert!(seen.insert((ms, nc)));
            }
            prop_assert!(table.len() <= 3);
        }
    }

    #[test]
    fn counts_in_order_always_pass(step in prop::collection::vec(1u32..40, 1..100)) {
        let mut table = NonceTable::new(1);
        let mut nc = 0;
        for step in step {
            nc += step;
            prop_assert!(table.try_use(nonce(1), nc));
        }
    }

    #[test]
    fn any_text_is_survived(text in ".{0,80}") {
        prop_assert_eq!(Nonce::open(&text, KEY), None);
    }
}
