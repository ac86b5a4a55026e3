//! Any octets as the boot loader's environment block: what is read is written again as the same, and
//! choosing a slot is done to the letter or not at all.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::system::Slot;
use platform::slots::{BLOCK, Environment, NoBlock, TRIES};

fuzz_target!(|octets: &[u8]| {
    if octets.len() != BLOCK {
        assert_eq!(Environment::parse(octets), Err(NoBlock::Size));
    }
    // Mostly the content alone is worth trying.
    let mut block = b"# GRUB Environment Block\n".to_vec();
    block.extend(octets);
    block.resize(BLOCK, b'#');
    for block in [octets, &block] {
        if let Ok(environment) = Environment::parse(block) {
            known(&environment);
        }
    }
});

fn known(environment: &Environment) {
    same(environment);
    for slot in [Slot::A, Slot::B] {
        let mut changed = environment.clone();
        if changed.try_next(slot).is_err() {
            assert_eq!((slot, &changed), (environment.confirmed(), environment));
        } else if let Some(again) = same(&changed) {
            let trial = again.trial().expect("one");
            assert_eq!((trial.slot, trial.tries), (slot, TRIES));
            assert_eq!(again.confirmed(), environment.confirmed());
            assert!(!again.has_failed());
        }
        changed.give_up(slot);
        if let Some(again) = same(&changed) {
            assert_eq!((again.trial(), again.has_failed()), (None, true));
            assert_eq!(again.bad(), Some(slot));
        }
        changed.confirm(slot);
        if let Some(again) = same(&changed) {
            assert_eq!((again.confirmed(), again.trial()), (slot, None));
            assert!(!again.has_failed());
        }
    }
}

/// What is read of what is written; none where it does not fit.
fn same(environment: &Environment) -> Option<Environment> {
    match environment.print() {
        Ok(block) => {
            let again = Environment::parse(&block).expect("what is written can be read");
            assert_eq!(again, *environment);
            Some(again)
        }
        Err(error) => {
            assert_eq!(error, NoBlock::Full);
            None
        }
    }
}
