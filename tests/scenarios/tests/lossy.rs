//! Every basic flow over a network that loses a third of all packets: it must end clean.

use testkit::{Greeting, Keys, Network, Reliable, World};

const SEEDS: u64 = 25;

/// A flow over lossy networks of many seeds; only the registrations were made in peace.
fn lossy(flow: impl Fn(&mut World)) {
    for seed in 0..SEEDS {
        let mut w = World::builder()
            .extensions(["101", "102", "103"])
            .seed(seed)
            .build();
        let loss = if seed % 2 == 0 {
            Network::lossy(30)
        } else {
            Network::wild(25)
        };
        w.set_all_networks(loss);
        flow(&mut w);
        w.finish();
    }
}

#[test]
fn a_call_that_is_answered() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(800));
        w.dial(a, "102");
        w.run_for(6000);
        w.hang_up(a);
    });
}

#[test]
fn a_call_that_the_called_party_ends() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(800));
        w.dial(a, "102");
        w.run_for(6000);
        if w.at(b).current().is_some() {
            w.hang_up(b);
        }
    });
}

#[test]
fn a_call_that_is_refused() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.greeting = Greeting::Refuse(486));
        w.dial(a, "102");
        w.run_for(3000);
    });
}

#[test]
fn a_call_that_is_given_up() {
    lossy(|w| {
        let a = w.phone("101");
        w.dial(a, "102");
        w.run_for(2500);
        w.hang_up(a);
    });
}

#[test]
fn a_call_that_nobody_answers() {
    lossy(|w| {
        let a = w.phone("101");
        w.dial(a, "102");
        w.run_for(40_000);
    });
}

#[test]
fn a_call_to_nowhere() {
    lossy(|w| {
        w.dial(w.phone("101"), "199");
        w.run_for(3000);
    });
}

#[test]
fn a_call_with_reliable_ringing() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set_all(|p| p.reliable = Reliable::Supported);
        w.set(b, |p| {
            p.greeting = Greeting::EarlyMedia;
            p.answers_after_ms = Some(3000);
        });
        w.dial(a, "102");
        w.run_for(8000);
        w.hang_up(a);
    });
}

#[test]
fn hold_and_resume() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(300));
        let call = w.dial(a, "102");
        if w.run_until(|w| w.is_talking(call), 10_000) {
            w.hold(call);
            w.run_for(5000);
            w.resume(call);
            w.run_for(5000);
        }
    });
}

#[test]
fn digits() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(300));
        let call = w.dial(a, "102");
        if w.run_until(|w| w.is_talking(call), 10_000) {
            w.press(call, "12", Keys::Info);
            w.press(call, "34", Keys::Rtp);
            w.run_for(4000);
        }
    });
}

#[test]
fn both_call_each_other() {
    lossy(|w| {
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set_all(|p| p.answers_after_ms = Some(1000));
        w.dial(a, "102");
        w.dial(b, "101");
        w.run_for(6000);
    });
}

#[test]
fn three_phones_of_one_extension() {
    lossy(|w| {
        let a = w.phone("101");
        for _ in 0..2 {
            let phone = w.add_phone("102");
            w.register(phone);
        }
        w.set_all(|p| p.answers_after_ms = Some(1500));
        w.run_for(3000);
        w.dial(a, "102");
        w.run_for(6000);
    });
}

#[test]
fn with_no_loss_but_everything_out_of_order() {
    for seed in 0..SEEDS {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        w.set_all_networks(Network::quiet().each(|link| {
            link.jitter_us = 300_000;
            link.duplicate_permille = 300;
        }));
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(300));
        w.dial(a, "102");
        w.run_for(4000);
        w.hang_up(a);
        w.finish();
    }
}

#[test]
fn a_slow_network() {
    for ms in [100, 400, 900, 2000] {
        let network = Network::quiet().delay_ms(ms);
        let mut w = World::builder()
            .extensions(["101", "102"])
            .network(network)
            .build();
        let (a, b) = (w.phone("101"), w.phone("102"));
        w.set(b, |p| p.answers_after_ms = Some(300));
        let call = w.dial(a, "102");
        assert!(w.run_until(|w| w.is_talking(call), 40_000), "{ms} ms");
        w.run_for(2 * ms + 1000);
        w.assert_talk(a, b);
        w.finish();
    }
}
