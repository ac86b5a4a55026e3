//! Phones register, refresh and go; what is kept of them.

use std::time::Duration;

use model::config::DigestChoice;
use model::control::LoginFailure;
use model::{ExtensionId, Secret, Transport};
use testkit::{Algorithm, PhoneId, World};

fn alone() -> (World, PhoneId) {
    let mut w = World::builder()
        .extensions(["101", "102"])
        .without_phones()
        .build();
    let a = w.add_phone("101");
    (w, a)
}

fn status(w: &World, phone: PhoneId) -> Option<u16> {
    w.at(phone).registering.status
}

#[test]
fn a_phone_registers_by_either_algorithm() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let (mut w, a) = alone();
        w.set(a, |p| p.algorithm = algorithm);
        w.register(a);
        w.run_for(100);
        assert_eq!(status(&w, a), Some(200));
        assert_eq!(w.contacts("101").len(), 1);
        w.finish();
    }
}

#[test]
fn phones_use_the_best_algorithm_that_they_and_the_exchange_know() {
    use Algorithm::{Md5, Sha256};
    for (choice, phone, used) in [
        (DigestChoice::Md5, Md5, Some(Md5)),
        (DigestChoice::Md5, Sha256, Some(Md5)),
        (DigestChoice::Sha256ThenMd5, Md5, Some(Md5)),
        (DigestChoice::Sha256ThenMd5, Sha256, Some(Sha256)),
        (DigestChoice::Sha256, Sha256, Some(Sha256)),
        (DigestChoice::Sha256, Md5, None),
    ] {
        let (mut w, a) = alone();
        w.forgiving = true;
        w.configure(|c| c.general.digest = choice);
        w.set(a, |p| p.algorithm = phone);
        w.register(a);
        w.run_for(100);
        let what = format!("{choice:?} {phone:?}");
        assert_eq!(status(&w, a), Some(if used.is_some() { 200 } else { 401 }));
        assert_eq!(w.contacts("101").len(), used.iter().count(), "{what}");
        assert_eq!(w.at(a).proved_with(), used, "{what}");
    }
}

#[test]
fn a_refresh_keeps_the_one_contact() {
    let (mut w, a) = alone();
    w.set(a, |p| p.expires_s = 120);
    w.register(a);
    w.run_for(1_000_000);
    assert!(w.at(a).registering.successes >= 16);
    assert_eq!(w.contacts("101").len(), 1);
    w.finish();
}

#[test]
fn what_is_not_refreshed_expires() {
    let (mut w, a) = alone();
    w.set(a, |p| p.expires_s = 120);
    w.register(a);
    w.run_for(1000);
    w.power_off(a);
    w.run_for(118_000);
    assert_eq!(w.contacts("101").len(), 1);
    w.run_for(2_000);
    assert_eq!(w.contacts("101").len(), 0);
    w.finish();
}

#[test]
fn a_phone_takes_its_contact_away() {
    let (mut w, a) = alone();
    w.register(a);
    w.run_for(100);
    w.unregister(a);
    w.run_for(100);
    assert_eq!(status(&w, a), Some(200));
    assert!(w.contacts("101").is_empty());
    w.finish();
}

#[test]
fn a_phone_takes_all_contacts_away() {
    let (mut w, a) = alone();
    let b = w.add_phone("101");
    w.register(a);
    w.register(b);
    w.run_for(100);
    assert_eq!(w.contacts("101").len(), 2);
    w.unregister_all(a);
    w.run_for(100);
    assert!(w.contacts("101").is_empty());
    w.finish();
}

#[test]
fn a_registration_too_short_is_told_the_least() {
    let (mut w, a) = alone();
    w.set(a, |p| p.expires_s = 10);
    w.register(a);
    w.run_for(200);
    assert_eq!(status(&w, a), Some(200), "after 423, with Min-Expires");
    assert_eq!(w.at(a).registering.granted_s, Some(60));
    w.finish();
}

#[test]
fn a_registration_too_long_is_cut() {
    let (mut w, a) = alone();
    w.set(a, |p| p.expires_s = 100_000);
    w.register(a);
    w.run_for(200);
    assert_eq!(w.at(a).registering.granted_s, Some(3600));
    w.finish();
}

#[test]
fn the_oldest_contact_makes_room_for_the_eleventh() {
    let (mut w, first) = alone();
    w.forgiving = true;
    w.register(first);
    w.run_for(100);
    for _ in 0..10 {
        let phone = w.add_phone("101");
        w.register(phone);
        w.run_for(100);
    }
    let contacts = w.contacts("101");
    assert_eq!(contacts.len(), 10);
    let oldest = w.at(first).address.to_string();
    assert!(
        !contacts.iter().any(|contact| contact.contains(&oldest)),
        "{contacts:?}"
    );
    w.finish();
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let answers = ["101", "999"].map(|username| {
        let (mut w, a) = alone();
        w.set(a, |p| {
            p.username = username.into();
            p.password = "wrong-password".into();
        });
        w.register(a);
        w.run_for(500);
        assert!(w.contacts("101").is_empty());
        assert_eq!(w.security.len(), 1, "{:?}", w.security);
        let status = status(&w, a);
        w.finish();
        status
    });
    assert_eq!(answers[0], answers[1]);
    assert!(matches!(answers[0], Some(401 | 403)), "{answers:?}");
}

#[test]
fn nobody_registers_for_another() {
    let (mut w, a) = alone();
    w.set(a, |p| p.quirks.foreign_from = Some("102"));
    w.register(a);
    w.run_for(500);
    assert_eq!(status(&w, a), Some(403), "who it is is known");
    assert!(w.registrations().is_empty());
    assert!(
        w.security[0].contains("another extension"),
        "{:?}",
        w.security
    );
    w.finish();
}

#[test]
fn of_each_extension_the_last_login_that_failed_is_known() {
    let (mut w, a) = alone();
    let extension = ExtensionId::new(1);
    let failed = |w: &World| w.failed_login(extension).map(|failed| failed.reason);
    w.register(a);
    w.run_for(500);
    assert_eq!(failed(&w), None, "a challenge is no failure");
    w.set(a, |p| p.password = "not-the-password-1".into());
    w.register(a);
    w.run_for(500);
    assert_eq!(failed(&w), Some(LoginFailure::WrongPassword));
    let host = w.failed_login(extension).map(|failed| failed.host);
    assert_eq!(host, Some(w.at(a).address.ip()));
    w.configure(|c| c.extensions[0].sip_password = Secret::new("not-the-password-1"));
    w.register(a);
    w.run_for(500);
    assert_eq!(failed(&w), None, "it is put right");
    w.configure(|c| c.extensions[0].enabled = false);
    w.register(a);
    w.run_for(500);
    assert_eq!(failed(&w), Some(LoginFailure::Disabled));
    w.configure(|c| drop(c.extensions.remove(0)));
    assert_eq!(failed(&w), None);
    w.finish();
}

#[test]
fn without_credentials_nothing_is_kept() {
    let (mut w, a) = alone();
    w.set(a, |p| p.quirks.ignores_challenge = true);
    w.register(a);
    w.run_for(500);
    assert_eq!(status(&w, a), Some(401));
    assert!(w.registrations().is_empty() && w.security.is_empty());
    w.finish();
}

#[test]
fn an_invented_nonce_is_stale_and_the_right_one_is_taken() {
    let (mut w, a) = alone();
    w.set(a, |p| p.quirks.invented_nonce = true);
    w.register(a);
    w.run_for(500);
    assert_eq!(status(&w, a), Some(200));
    assert!(w.security.is_empty(), "{:?}", w.security);
    w.finish();
}

#[test]
fn a_disabled_extension_does_not_register() {
    let (mut w, a) = alone();
    w.configure(|c| c.extensions[0].enabled = false);
    w.register(a);
    w.run_for(500);
    assert!(matches!(status(&w, a), Some(401 | 403)));
    w.finish();
}

#[test]
fn disabling_an_extension_ends_its_registration() {
    let (mut w, a) = alone();
    w.forgiving = true;
    w.register(a);
    w.run_for(100);
    assert_eq!(w.contacts("101").len(), 1);
    w.configure(|c| c.extensions[0].enabled = false);
    w.run_for(100);
    assert!(w.contacts("101").is_empty());
    w.finish();
}

#[test]
fn a_phone_registers_by_tcp_and_is_called_on_its_connection() {
    for seed in 0..10 {
        let mut w = World::builder()
            .extensions(["101", "102"])
            .seed(seed)
            .without_phones()
            .build();
        let (a, b) = (w.add_phone("101"), w.add_phone("102"));
        w.set(b, |p| p.transport = Transport::Tcp);
        w.register(a);
        w.register(b);
        w.run_for(500);
        assert_eq!(w.registrations()[1].transport, Transport::Tcp);
        w.talk(a, b);
        w.run_for(600);
        w.assert_talk(a, b);
        w.hang_up(b);
        w.run_for(100);
        w.talk(b, a);
        w.run_for(600);
        w.assert_talk(a, b);
        w.finish();
    }
}

#[test]
fn a_broken_connection_ends_what_was_registered_on_it() {
    let (mut w, a) = alone();
    w.set(a, |p| p.transport = Transport::Tcp);
    w.register(a);
    w.run_for(500);
    assert_eq!(w.contacts("101").len(), 1);
    w.break_stream(a);
    w.run_for(100);
    w.register(a);
    w.run_for(500);
    assert_eq!(w.contacts("101").len(), 1);
    w.finish();
}

#[test]
fn a_phone_behind_nat_is_reached_where_it_registered_from() {
    let mut w = World::builder()
        .extensions(["101", "102"])
        .without_phones()
        .build();
    let (a, b) = (w.add_phone_behind_nat("101"), w.add_phone_behind_nat("102"));
    w.register(a);
    w.register(b);
    w.run_for(100);
    w.talk(a, b);
    w.run_for(1000);
    w.assert_talk(a, b);
    w.hang_up(b);
    w.finish();
}

#[test]
fn an_instance_that_comes_back_takes_its_own_place() {
    let (mut w, a) = alone();
    w.set(a, |p| p.outbound = true);
    w.register(a);
    w.run_for(100);
    assert_eq!(w.contacts("101").len(), 1);
    w.register(a);
    w.run_for(100);
    assert_eq!(w.contacts("101").len(), 1);
    w.finish();
}

#[test]
fn after_a_restart_the_phones_are_still_known() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.restart();
    assert_eq!(w.registrations().len(), 2);
    w.run_for(1000);
    w.talk(a, b);
    w.run_for(600);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn what_expired_during_a_restart_stays_expired() {
    let (mut w, a) = alone();
    w.set(a, |p| p.expires_s = 60);
    w.register(a);
    w.run_for(100);
    w.power_off(a);
    w.run_for(50_000);
    w.restart();
    assert_eq!(w.contacts("101").len(), 1);
    w.run_for(11_000);
    assert!(w.contacts("101").is_empty());
    w.finish();
}

#[test]
fn after_a_start_with_a_clock_behind_no_contact_stays_for_ever() {
    let (mut w, a) = alone();
    let right = w.wall() + Duration::from_secs(20 * 365 * 24 * 3600);
    w.set_clock(right);
    w.register(a);
    w.run_for(100);
    w.power_off(a);
    w.restart();
    assert_eq!(w.contacts("101").len(), 1);
    w.run_for(3_601_000);
    assert!(w.contacts("101").is_empty());
    w.finish();
}

#[test]
fn a_hundred_phones_register_at_once() {
    let mut w = World::builder().many(1000, 100).build();
    assert_eq!(w.registrations().len(), 100);
    w.run_for(700_000);
    assert_eq!(w.registrations().len(), 100);
    w.finish();
}

#[test]
fn registrations_survive_a_lossy_network() {
    for seed in 0..20 {
        let network = testkit::Network::lossy(30);
        let mut w = World::builder()
            .extensions(["101"])
            .seed(seed)
            .network(network)
            .build();
        w.run_for(3_000_000);
        assert_eq!(w.contacts("101").len(), 1, "seed {seed}");
        w.finish();
    }
}

#[test]
fn options_is_answered() {
    let (mut w, a) = alone();
    w.options(a);
    w.run_for(100);
    assert_eq!(
        w.at(a).responses.last(),
        Some(&(testkit::Method::Options, 200))
    );
    w.finish();
}

#[test]
fn odd_contacts_are_refused_and_nothing_changes() {
    for contact in ["*", "<sip:101@", "nonsense", "<tel:+420123456>;expires=60"] {
        let (mut w, a) = alone();
        w.forgiving = true;
        w.register_with(a, &[("Contact", contact)]);
        w.run_for(300);
        assert_eq!(w.contacts("101").len(), 0, "{contact}");
        w.finish();
    }
}
