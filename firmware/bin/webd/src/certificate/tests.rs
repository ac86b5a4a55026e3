//! What is made, kept, left alone and set aside.

use std::os::unix::fs::PermissionsExt;

use super::*;

const DAY: i64 = 24 * 60 * 60;

fn at(day: i64) -> WallTime {
    WallTime::from_unix_seconds((20_000 + day) * DAY)
}

#[test]
fn it_is_made_once_and_again_before_it_ends() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    let names = ["box".to_owned()];
    let current = |day, addresses: &[IpAddr]| {
        keeper
            .current(at(day), &names, addresses)
            .expect("it is made")
    };
    let (first, made) = current(0, &[]);
    assert!(made);
    let mode = fs::metadata(dir.path().join("tls/key.pem"))
        .expect("the key")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let (same, made) = current(300, &[]);
    assert!(!made && same.certificate == first.certificate);

    let (renewed, made) = current(370, &[]);
    assert!(made && renewed.certificate != first.certificate && renewed.key == first.key);

    let (_, made) = current(371, &["192.0.2.7".parse().expect("an address")]);
    assert!(made);

    let (_, made) = current(-5, &[]);
    assert!(made, "the clock went back before its beginning");
}

#[test]
fn who_can_write_in_the_data_folder_can_read_the_key() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o2770)).expect("set");
    Keeper::new(dir.path())
        .current(at(0), &[], &[])
        .expect("it is made");
    let mode = |path: &str| {
        let found = fs::metadata(dir.path().join(path)).expect("it is there");
        found.permissions().mode() & 0o7777
    };
    assert_eq!((mode("tls"), mode("tls/key.pem")), (0o2770, 0o640));
}

#[test]
fn somebodys_own_certificate_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    fs::create_dir(dir.path().join("tls")).expect("a folder");
    fs::write(dir.path().join("tls/certificate.pem"), "mine").expect("written");
    fs::write(dir.path().join("tls/key.pem"), "mine too").expect("written");
    let (pem, made) = keeper.current(at(0), &[], &[]).expect("it is read");
    assert!(!made && pem.certificate == "mine");
}

#[test]
fn what_somebody_puts_in_place_of_ours_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    let current = |day, addresses: &[IpAddr]| {
        let (pem, made) = keeper
            .current(at(day), &[], addresses)
            .expect("it is there");
        (pem.certificate, pem.key, made)
    };
    let (ours, key, _) = current(0, &[]);
    let elsewhere = ["192.0.2.7".parse().expect("an address")];
    let file = |name: &str| dir.path().join("tls").join(name);

    fs::write(file("certificate.pem"), "mine").expect("written");
    assert_eq!(current(1, &elsewhere), ("mine".into(), key, false));
    fs::write(file("key.pem"), "mine too").expect("written");
    assert_eq!(
        current(400, &elsewhere),
        ("mine".into(), "mine too".into(), false)
    );

    // Only the key so far: a renewal must not take it.
    fs::write(file("certificate.pem"), &ours).expect("written");
    assert_eq!(current(400, &elsewhere), (ours, "mine too".into(), false));
}

#[test]
fn half_of_somebodys_own_is_not_completed_by_us() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    keeper.current(at(0), &[], &[]).expect("it is made");
    let file = |name: &str| dir.path().join("tls").join(name);
    fs::remove_file(file("certificate.pem")).expect("removed");
    fs::write(file("key.pem"), "mine").expect("written");
    assert!(keeper.current(at(1), &[], &[]).is_err());
    assert_eq!(
        fs::read_to_string(file("key.pem")).expect("it is there"),
        "mine"
    );
}

#[test]
fn a_renewal_that_was_cut_short_is_made_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    let (old, _) = keeper.current(at(0), &[], &[]).expect("it is made");
    let (new, made) = keeper.current(at(370), &[], &[]).expect("it is made");
    assert!(made && new.certificate != old.certificate);
    fs::write(dir.path().join("tls/certificate.pem"), &old.certificate).expect("written");
    let (again, made) = keeper.current(at(370), &[], &[]).expect("it is made");
    assert!(made && again.key == old.key && again.certificate != old.certificate);
}

#[test]
fn its_facts_are_read_from_the_certificate_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    keeper.current(at(1), &[], &[]).expect("it is made");
    let facts = Facts::of_current(dir.path()).expect("it is read");
    assert!(facts.self_signed && facts.subject == "CN=Operator Box");
    assert_eq!(facts.from, at(0));
    assert_eq!(
        facts.until.since(facts.from),
        LIFETIME - Duration::from_secs(1)
    );
    fs::write(dir.path().join("tls/certificate.pem"), "mine").expect("written");
    assert_eq!(Facts::of_current(dir.path()), None);
}

/// What the folder has under each name.
fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir.join("tls"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    names
}

/// A pair of somebody's own, for so many days from day 0 on.
fn own(days: i64) -> Pem {
    let mut made = wanted(at(1), &[], &[]);
    made.until = made.from + days * DAY;
    produce(made, None).expect("made").0
}

/// A start with these files in the folder: what is served, and what the folder has after.
fn start_with(certificate: &str, key: Option<&str>) -> (Pem, Vec<String>) {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("tls")).expect("a folder");
    fs::write(dir.path().join("tls/certificate.pem"), certificate).expect("written");
    if let Some(key) = key {
        fs::write(dir.path().join("tls/key.pem"), key).expect("written");
    }
    let keeper = Keeper::new(dir.path());
    let (pem, _) = keeper.at_start(at(100), &[], &[]).expect("it starts");
    pem.check().expect("TLS can be served by it");
    let (again, made) = keeper.at_start(at(100), &[], &[]).expect("it starts");
    assert!(again == pem && !made, "the next start finds all in order");
    let found = files(dir.path());
    for (name, content) in [("certificate.pem", Some(certificate)), ("key.pem", key)] {
        let aside = dir.path().join("tls").join(format!("unusable-1-{name}"));
        if let Ok(kept) = fs::read_to_string(aside) {
            assert_eq!(Some(kept.as_str()), content, "it was changed");
        }
    }
    (pem, found)
}

#[test]
fn what_can_not_be_served_by_is_set_aside_at_the_start() {
    let (one, other) = (own(300), own(300));
    let aside = [
        "certificate.pem",
        "key.pem",
        "made.json",
        "unusable-1-certificate.pem",
        "unusable-1-key.pem",
    ];
    for (certificate, key) in [
        ("", ""),
        ("junk", "junk"),
        (one.certificate.as_str(), ""),
        ("", one.key.as_str()),
        (one.certificate.as_str(), other.key.as_str()),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            one.key.as_str(),
        ),
    ] {
        let (_, found) = start_with(certificate, Some(key));
        assert_eq!(found, aside, "{certificate:?} {key:?}");
    }
    let (_, found) = start_with(&one.certificate, None);
    assert_eq!(found, [&aside[..3], &aside[3..4]].concat());
}

#[test]
fn a_good_one_is_served_and_so_is_one_that_has_ended() {
    for days in [300, 50] {
        let pem = own(days);
        let (served, found) = start_with(&pem.certificate, Some(&pem.key));
        assert!(served == pem);
        assert_eq!(found, ["certificate.pem", "key.pem"]);
    }
}

#[test]
fn our_key_outlives_the_loss_of_its_certificate() {
    let dir = tempfile::tempdir().expect("a folder");
    let keeper = Keeper::new(dir.path());
    let (first, _) = keeper.at_start(at(0), &[], &[]).expect("made");
    fs::write(dir.path().join("tls/certificate.pem"), "").expect("written");
    let (second, made) = keeper.at_start(at(1), &[], &[]).expect("made");
    assert!(made && second.key == first.key);
    // What is set aside a second time does not take the first one's place.
    fs::write(dir.path().join("tls/certificate.pem"), "junk").expect("written");
    keeper.at_start(at(2), &[], &[]).expect("made");
    let kept = |n: u32| {
        let name = format!("tls/unusable-{n}-certificate.pem");
        fs::read_to_string(dir.path().join(name)).expect("kept")
    };
    assert_eq!((kept(1).as_str(), kept(2).as_str()), ("", "junk"));
}

#[test]
fn a_folder_that_can_not_be_written_keeps_nobody_out() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("tls"), "no folder").expect("written");
    let keeper = Keeper::new(dir.path());
    let (pem, made) = keeper.at_start(at(0), &[], &[]).expect("made");
    pem.check().expect("TLS can be served by it");
    assert!(made);
}

#[test]
fn a_link_that_leads_nowhere_is_kept() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("tls")).expect("a folder");
    for name in ["certificate.pem", "key.pem"] {
        let link = dir.path().join("tls").join(name);
        std::os::unix::fs::symlink("/nowhere", link).expect("linked");
    }
    let keeper = Keeper::new(dir.path());
    keeper.at_start(at(0), &[], &[]).expect("made");
    let link = fs::read_link(dir.path().join("tls/unusable-1-key.pem")).expect("kept");
    assert_eq!(link, Path::new("/nowhere"));
}
