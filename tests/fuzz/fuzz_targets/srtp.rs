//! Any octets as packets to be protected, and as protected ones: nothing panics, what is protected is had again, and
//! once only; what nobody protected is never taken.
//!
//! The first byte says the suite; the rest are packets of a length byte and octets each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{MasterKey, SrtpSuite};
use rtp::packet::is_rtcp;
use rtp::srtp::{Fault, MAX_OVERHEAD, Receiver, Sender};

fuzz_target!(|data: &[u8]| {
    let Some((suite, mut rest)) = data.split_first() else {
        return;
    };
    let suite = SrtpSuite::ALL[usize::from(*suite) % SrtpSuite::ALL.len()];
    let len = suite.key_len() + suite.salt_len();
    let key = MasterKey::new(suite, &[7; MasterKey::MAX][..len]).expect("as long as it is to be");
    let mut sender = Sender::new(&key);
    let mut receiver = Receiver::new(&key);
    while let Some((len, after)) = rest.split_first() {
        let (packet, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        let mut forged = packet.to_vec();
        assert!(open(&mut receiver, &mut forged).is_err(), "nobody protected it");
        let mut octets = packet.to_vec();
        octets.resize(packet.len() + MAX_OVERHEAD, 0);
        let sealed = if is_rtcp(packet) {
            sender.protect_rtcp(&mut octets, packet.len())
        } else {
            sender.protect(&mut octets, packet.len())
        };
        let Ok(len) = sealed else { continue };
        octets.truncate(len);
        let mut again = octets.clone();
        // A number far off is of another rollover to who did not follow.
        if let Ok(len) = open(&mut receiver, &mut octets) {
            assert_eq!(&octets[..len], packet);
            assert_eq!(open(&mut receiver, &mut again), Err(Fault::Replayed));
        }
    }
});

fn open(receiver: &mut Receiver, octets: &mut [u8]) -> Result<usize, Fault> {
    if is_rtcp(octets) {
        receiver.unprotect_rtcp(octets)
    } else {
        receiver.unprotect(octets)
    }
}
