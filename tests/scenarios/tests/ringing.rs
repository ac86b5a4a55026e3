//! Calls by the ringing rules of a user, with sound: what rings, and where a call goes on.

use model::ExtensionId;
use model::config::{Ring, Ringing, Target};
use testkit::{Greeting, Network, World};

fn extension(id: u32) -> Target {
    Target::Extension(ExtensionId::new(id))
}

fn ring(id: u32, after_s: u16, for_s: Option<u16>) -> Ring {
    Ring {
        target: extension(id),
        after_s,
        for_s,
    }
}

/// Phones 101 to 104; the user of 102 has these rules.
fn world(rules: &Ringing, seed: u64) -> World {
    let mut w = World::builder()
        .extensions(["101", "102", "103", "104"])
        .seed(seed)
        .build();
    w.configure(|configuration| configuration.users[1].ringing = rules.clone());
    w
}

#[test]
fn whoever_of_those_who_ring_answers_is_heard() {
    let rules = Ringing {
        rings: vec![ring(2, 0, None), ring(3, 3, None), ring(4, 6, None)],
        ..Ringing::default()
    };
    for (number, others) in [("102", ["103", "104"]), ("104", ["102", "103"])] {
        let mut w = world(&rules, 1);
        let caller = w.phone("101");
        let out = w.dial(caller, "102");
        w.run_for(8_000);
        assert!(w.hears_ringing(out));
        let answers = w.phone(number);
        w.answer(answers);
        w.run_for(3_000);
        w.assert_talk(out, w.line(answers));
        for other in others {
            assert!(w.is_over(w.phone(other)), "{other}");
        }
        w.hang_up(out);
        w.finish();
        let record = w.record(0);
        assert_eq!(record.called.as_ref().expect("somebody").number, number);
        assert_eq!(record.forwarded_from.is_some(), number != "102");
    }
}

#[test]
fn a_phone_that_plays_before_it_answers_is_heard_and_then_the_next_one() {
    let rules = Ringing {
        rings: vec![ring(2, 0, Some(5)), ring(3, 30, None)],
        ..Ringing::default()
    };
    let mut w = world(&rules, 1);
    let (caller, first, second) = (w.phone("101"), w.phone("102"), w.phone("103"));
    w.set(first, |p| p.greeting = Greeting::EarlyMedia);
    let out = w.dial(caller, "102");
    w.run_for(3_000);
    assert!(w.hears_voice(out, first));
    w.run_for(3_000);
    assert!(w.is_over(first));
    assert!(w.is_ringing(second));
    w.answer(second);
    w.run_for(3_000);
    w.assert_talk(out, w.line(second));
    w.hang_up(out);
    w.finish();
}

#[test]
fn a_call_goes_on_from_one_to_the_next_over_any_network() {
    let rules = Ringing {
        no_answer: Some(extension(3)),
        no_answer_s: Some(6),
        ..Ringing::default()
    };
    for seed in 0..25 {
        let mut w = world(&rules, seed);
        w.configure(|configuration| {
            configuration.users[2].ringing.busy = Some(extension(4));
            // Whom it comes back to has had it.
            configuration.users[3].ringing.no_answer = Some(extension(2));
        });
        w.set_all_networks(if seed % 2 == 0 {
            Network::lossy(30)
        } else {
            Network::wild(25)
        });
        let (caller, last) = (w.phone("101"), w.phone("104"));
        w.set(w.phone("103"), |p| p.greeting = Greeting::Refuse(486));
        w.set(last, |p| p.answers_after_ms = Some(800));
        w.dial(caller, "102");
        w.run_for(25_000);
        w.hang_up(caller);
        w.finish();
    }
}
