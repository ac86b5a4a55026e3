//! Limits and leaks: every port in use, thousands of calls, and nothing left.

use model::{Cause, Disposition};
use testkit::{End, World};

#[test]
fn without_a_free_port_a_call_is_refused() {
    let mut w = World::builder().many(101, 6).ports(4).build();
    w.talk(w.phone("101"), w.phone("102"));
    w.talk(w.phone("103"), w.phone("104"));
    assert_eq!(w.ports_in_use(), 4);
    let call = w.dial(w.phone("105"), "106");
    w.run_for(300);
    assert_eq!(w.end(call), Some(End::Refused(503)));
    assert!(w.at(w.phone("106")).calls.is_empty());
    w.hang_up(w.phone("101"));
    w.run_for(300);
    w.talk(w.phone("105"), w.phone("106"));
    w.run_for(500);
    w.assert_talk(w.phone("105"), w.phone("106"));
    w.finish();
    let record = w.record(2);
    assert_eq!(record.disposition, Disposition::Failed);
    assert_eq!(record.cause, Cause::NO_CIRCUIT_AVAILABLE);
}

#[test]
fn an_odd_port_is_given_back() {
    for ports in 0..4 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .ports(ports)
            .build();
        let call = w.dial(w.phone("101"), "102");
        w.run_for(500);
        assert_eq!(w.is_over(call), ports < 2, "{ports} ports");
        w.finish();
    }
}

#[test]
fn ports_of_many_ringing_phones_are_shared() {
    let mut w = World::builder().extensions(["101", "102"]).ports(2).build();
    for _ in 0..4 {
        let phone = w.add_phone("102");
        w.register(phone);
    }
    w.run_for(100);
    w.dial(w.phone("101"), "102");
    w.run_for(500);
    assert!(w.phones().skip(1).all(|phone| w.is_ringing(phone)));
    let last = w.phones().last().unwrap();
    w.answer(last);
    w.run_for(700);
    w.assert_talk(w.phone("101"), last);
    w.finish();
}

#[test]
fn a_thousand_calls_leave_nothing() {
    let mut w = World::builder().many(101, 8).seed(5).build();
    let phones: Vec<_> = w.phones().collect();
    w.set_all(|p| {
        p.speaks = false;
        p.answers_after_ms = Some(40);
    });
    let mut n = 0_u64;
    while w.calls_opened() < 1000 {
        let a = phones[(n % 8) as usize];
        let b = phones[((n + 1 + n / 8 % 7) % 8) as usize];
        let number = w.at(b).profile.number.clone();
        let call = w.dial(a, &number);
        // Some are given up while they ring, some talk.
        w.run_for(10 + (n * 13) % 90);
        w.hang_up(call);
        n += 1;
    }
    w.finish();
    assert_eq!(w.records().len(), 1000);
}

#[test]
fn hundreds_of_transfers_leave_nothing() {
    let mut w = World::builder().many(101, 3).seed(6).build();
    let c = w.phone("103");
    w.set_all(|p| p.speaks = false);
    for n in 0..150 {
        w.set(c, |p| p.answers_after_ms = Some(20));
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.transfer(b, "103");
        w.run_for(n % 80);
        w.hang_up(if n % 2 == 0 { a } else { b });
        w.run_for(120);
        w.hang_up(a);
        w.run_for(20);
        assert!(
            w.ports_in_use() <= 8,
            "{} ports after {n} transfers",
            w.ports_in_use()
        );
    }
    w.finish();
}

#[test]
fn a_day_of_registrations_and_a_few_calls() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    for _ in 0..24 {
        w.run_for(3_600_000);
        w.talk(a, b);
        w.run_for(300);
        w.assert_talk(a, b);
        w.hang_up(a);
        w.run_for(200);
    }
    w.finish();
    assert_eq!(w.records().len(), 24);
}

#[test]
fn every_call_within_the_limit_of_ports_is_heard() {
    let mut w = World::builder().many(101, 40).ports(40).build();
    let phones: Vec<_> = w.phones().collect();
    for pair in phones.chunks_exact(2) {
        w.talk(pair[0], pair[1]);
    }
    w.run_for(700);
    for pair in phones.chunks_exact(2) {
        w.assert_talk(pair[0], pair[1]);
    }
    assert_eq!(w.ports_in_use(), 40);
    w.finish();
}

#[test]
fn one_extension_leaves_room_for_the_others() {
    let mut w = World::builder()
        .extensions(["101", "102", "103"])
        .ports(400)
        .build();
    w.set_all(|p| p.speaks = false);
    let a = w.phone("101");
    let calls: Vec<_> = (0..100).map(|_| w.dial(a, "102")).collect();
    w.run_for(500);
    assert!(calls.iter().all(|call| w.end(*call).is_none()));
    let one_more = w.dial(a, "103");
    w.run_for(500);
    assert_eq!(w.end(one_more), Some(End::Refused(503)));
    w.talk(w.phone("103"), w.phone("102"));
    w.hang_up(calls[0]);
    w.run_for(500);
    let call = w.dial(a, "103");
    w.run_for(500);
    assert_eq!(w.end(call), None, "a call that is over makes room");
    w.finish();
}
