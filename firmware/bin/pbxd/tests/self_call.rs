//! The exchange's call to itself: the real `pbxd` on loopback, called by `pbxd self-call`.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

mod common;

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::fs::PermissionsExt;

use model::control::{Reply, Request};
use store::{HistoryFilter, LogKind, LogQuery};

use common::{Exchange, OTHER, PASSWORD, Watcher, free_ports};

#[test]
fn it_passes_over_udp_and_tls_and_nobody_sees_it() {
    let mut exchange = Exchange::prepare();
    exchange.start();
    let file = exchange.path("self-call.json");
    // It waits for the exchange, and fails in the end by a password that is not the exchange's.
    let other = exchange.write("other.json", OTHER);
    let reason = exchange.fault(&other, 60);
    assert!(reason.contains("does not take the password"), "{reason}");

    let mut watcher = Watcher::connect(&exchange.path("pbxd.sock"));
    assert_eq!(watcher.ask(Request::Watch), Reply::Done);
    let (ended_well, said) = exchange.self_call(&file, 60);
    assert!(ended_well && said["passed"] == true, "{said}");
    assert!(
        said["setup_ms"].is_u64() && said["loss"].is_number(),
        "{said}"
    );
    let empty = Reply::Registrations {
        registrations: Vec::new(),
    };
    assert_eq!(watcher.ask(Request::Registrations), empty);
    assert!(watcher.notices.is_empty(), "{:?}", watcher.notices);

    let store = exchange.stop();
    let count = store.history_count(&HistoryFilter::default());
    assert_eq!(count.expect("counted"), 0);
    for kind in [LogKind::Security, LogKind::Warning, LogKind::Error] {
        let rows = store.log_query(kind, &LogQuery::default()).expect("rows");
        assert!(rows.is_empty(), "{kind:?}: {rows:?}");
    }
    assert_eq!(store.load().expect("loaded").extensions.len(), 2);
}

#[test]
fn without_the_exchange_or_its_file_the_reason_is_told() {
    let mut exchange = Exchange::prepare();
    let file = exchange.path("self-call.json");
    let reason = exchange.fault(&file, 1);
    assert!(reason.starts_with("the exchange does not run"), "{reason}");
    let missing = exchange.path("missing.json");
    let reason = exchange.fault(&missing, 1);
    assert!(reason.starts_with("there is no file"), "{reason}");

    // The call is possible as long as the file is there.
    exchange.start();
    assert!(exchange.self_call(&file, 60).0);
    let open = exchange.write("self-call.json", "");
    fs::set_permissions(&open, Permissions::from_mode(0o644)).expect("a mode");
    exchange.ask(Request::Reload);
    assert!(matches!(
        exchange.ask(Request::SelfCall),
        Reply::Failed { .. }
    ));
    fs::remove_file(&file).expect("removed");
    exchange.ask(Request::Reload);
    assert_eq!(exchange.ask(Request::SelfCall), Reply::NotFound);
    let kept = exchange.write("kept.json", PASSWORD);
    let reason = exchange.fault(&kept, 60);
    assert!(
        reason.contains("was started without --self-call"),
        "{reason}"
    );
    exchange.write("self-call.json", PASSWORD);
    exchange.ask(Request::Reload);
    assert!(exchange.self_call(&kept, 60).0);
    let store = exchange.stop();
    let count = store.history_count(&HistoryFilter::default());
    assert_eq!(count.expect("counted"), 0);
}

#[test]
fn a_port_that_is_closed_or_silent_is_named() {
    let mut exchange = Exchange::prepare();
    exchange.start();
    let file = exchange.path("self-call.json");
    let [sip, sips] = [exchange.sip, exchange.sips];
    [exchange.sips, _] = free_ports();
    let reason = exchange.fault(&file, 60);
    assert!(reason.contains("can't be reached over TLS"), "{reason}");
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    exchange.sip = silent.local_addr().expect("bound").port();
    let reason = exchange.fault(&file, 4);
    assert!(
        reason.contains("did not answer REGISTER over UDP"),
        "{reason}"
    );
    // It was not the exchange.
    [exchange.sip, exchange.sips] = [sip, sips];
    assert!(exchange.self_call(&file, 60).0);
}
