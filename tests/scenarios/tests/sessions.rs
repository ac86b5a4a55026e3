//! What keeps a call alive and changes it: session timers, re-INVITE, UPDATE, PRACK, glare.

use testkit::{Greeting, Method, Reliable, State, World};

#[test]
fn a_long_call_is_refreshed_by_whoever_is_to() {
    for update in [true, false] {
        for caller_asks in [true, false] {
            for phone_refreshes in [true, false] {
                let mut w = World::of(["101", "102"]);
                let (a, b) = (w.phone("101"), w.phone("102"));
                w.set_all(|p| {
                    p.knows_timer = true;
                    p.update = update;
                });
                let asks = if caller_asks { a } else { b };
                w.set(asks, |p| {
                    p.session_s = Some(100);
                    p.refreshes = phone_refreshes;
                });
                let (a, b) = w.talk(a, b);
                w.run_for(160_000);
                assert!(
                    w.is_talking(a) && w.is_talking(b),
                    "{update} {caller_asks} {phone_refreshes}"
                );
                w.assert_talk(a, b);
                if !caller_asks {
                    let (ours, theirs) = (w.call(b).refreshes, w.call(b).offers_heard);
                    let (refreshes, not) = if phone_refreshes {
                        (ours, theirs)
                    } else {
                        (theirs, ours)
                    };
                    assert!(refreshes >= 2 && not == 0, "{ours} {theirs}");
                }
                w.finish();
            }
        }
    }
}

#[test]
fn a_session_too_short_is_told_the_least() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| p.session_s = Some(20));
    w.set(b, |p| p.answers_after_ms = Some(100));
    w.dial(a, "102");
    w.run_for(1000);
    assert!(w.call(a).heard.contains(&422), "{:?}", w.call(a).heard);
    assert!(w.is_talking(a));
    w.finish();
}

#[test]
fn reliable_ringing_is_acknowledged() {
    for (a_rel, b_rel) in [
        (Reliable::Supported, Reliable::No),
        (Reliable::No, Reliable::Supported),
        (Reliable::Supported, Reliable::Supported),
        (Reliable::Required, Reliable::Supported),
        (Reliable::Required, Reliable::No),
    ] {
        for greeting in [Greeting::Ring, Greeting::EarlyMedia] {
            let mut w = World::of(["101", "102"]);
            let (a, b) = (w.phone("101"), w.phone("102"));
            w.set(a, |p| p.reliable = a_rel);
            w.set(b, |p| {
                p.reliable = b_rel;
                p.greeting = greeting;
            });
            w.dial(a, "102");
            w.run_for(1500);
            assert!(
                matches!(w.call(a).state, State::Calling(180 | 183)),
                "{a_rel:?} {b_rel:?}"
            );
            w.answer(b);
            w.run_for(800);
            w.assert_talk(a, b);
            w.finish();
        }
    }
}

#[test]
fn a_caller_that_never_pracks_gets_no_answer_for_ever_but_all_ends() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set(a, |p| {
        p.reliable = Reliable::Supported;
        p.quirks.never_pracks = true;
    });
    w.set(b, |p| p.greeting = Greeting::EarlyMedia);
    w.dial(a, "102");
    w.run_for(2000);
    w.hang_up(a);
    w.finish();
}

#[test]
fn both_offer_at_once_and_one_tries_again() {
    for seed in 0..20 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .build();
        w.set_all(|p| p.update = seed % 2 == 0);
        let (a, b) = w.talk(w.phone("101"), w.phone("102"));
        w.run_for(seed * 7);
        w.hold(a);
        w.run_for(seed % 4);
        w.hold(b);
        w.run_for(6000);
        w.resume(b);
        w.resume(a);
        w.run_for(6000);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn a_reinvite_without_an_offer_gets_ours() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(300);
    let contact = "<sip:101@10.0.1.10:5060>";
    w.request(a, Method::Invite, &[("Contact", contact)], None);
    w.run_for(800);
    assert_eq!(w.call(a).renegotiated, Some(200));
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn an_unreadable_offer_changes_nothing() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(300);
    let contact = "<sip:101@10.0.1.10:5060>";
    for body in [
        "nonsense",
        "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nm=audio x\r\n",
    ] {
        let body = Some(("application/sdp", body));
        w.request(a, Method::Invite, &[("Contact", contact)], body);
        w.run_for(500);
        let refused = w.call(a).renegotiated;
        assert!(
            refused.is_some_and(|status| (400..500).contains(&status)),
            "{refused:?}"
        );
    }
    w.run_for(500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn requests_the_exchange_does_not_know_are_refused_and_nothing_ends() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    for method in [
        Method::Message,
        Method::Publish,
        Method::Subscribe,
        Method::Options,
        Method::Info,
    ] {
        w.request(a, method, &[], None);
        w.run_for(100);
        let heard = w.at(a.phone).responses.last().copied();
        assert!(
            heard.is_some_and(|(of, _)| of == method),
            "{method}: {heard:?}"
        );
    }
    w.run_for(500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_phone_that_has_forgotten_its_call_ends_it() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.set_all(|p| {
        p.knows_timer = true;
        p.update = true;
    });
    w.set(b, |p| p.session_s = Some(90));
    w.talk(a, b);
    w.run_for(300);
    w.set(b, |p| p.quirks.forgets = true);
    // The exchange refreshes the session and hears 481.
    w.run_for(50_000);
    assert!(w.is_over(a));
    w.finish();
}

#[test]
fn an_extension_of_sip_that_is_required_but_unknown_is_refused() {
    let mut w = World::of(["101", "102"]);
    let call = w.dial_with(w.phone("101"), "102", &[("Require", "time-travel")]);
    w.run_for(500);
    assert_eq!(w.end(call), Some(testkit::End::Refused(420)));
    w.finish();
    assert!(w.records().is_empty());
}
