//! Which number those outside see (USR-2).

use model::ExtensionId;
use model::config::{CallerId, Emergency, IdentityHeader};
use model::explain::{Caller, Step};
use sip::message::HeaderName;

use super::outside::{FIRST, SECOND, changed};
use super::*;
use crate::testing::world::World;

/// What 102 shows, and how the first provider is told.
fn world(caller_id: CallerId, identity: IdentityHeader) -> World {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.extensions[1].caller_id = caller_id;
        configuration.interfaces[0].server.identity = identity;
    });
    seen(&mut world, FIRST);
    seen(&mut world, SECOND);
    world
}

/// From, P-Asserted-Identity, Remote-Party-ID and Privacy of the only call that a server has got.
fn identity(world: &World, server: usize) -> [String; 4] {
    use HeaderName::{From, PAssertedIdentity, Privacy, RemotePartyId};
    [From, PAssertedIdentity, RemotePartyId, Privacy].map(|name| {
        let value = invited(world, server, &name);
        value
            .split_once(";tag=")
            .map_or(value.clone(), |(value, _)| value.to_owned())
    })
}

fn invited(world: &World, server: usize, name: &HeaderName) -> String {
    let headers = &world.phones[server].dialogs[0].invite.headers;
    headers
        .raw(name)
        .map_or_else(String::new, |value| value.to_text())
}

const NOBODY: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

#[test]
fn chapter_8_2_who_hides_its_number_is_known_to_those_alone_who_keep_it() {
    use IdentityHeader::{AssertedIdentity, From, RemotePartyId};
    let number = "<sip:5550102@10.9.0.1>";
    let remote = format!("{number};party=calling;screen=yes;privacy=full");
    for (header, asserted, remote) in [
        (From, "", ""),
        (AssertedIdentity, number, ""),
        (RemotePartyId, "", remote.as_str()),
    ] {
        let mut world = world(CallerId::Hidden, header);
        dial(&mut world, 1, "95551234");
        assert_eq!(identity(&world, FIRST), [NOBODY, asserted, remote, "id"]);
        // Nor does the address that is called back say it.
        assert!(!invited(&world, FIRST, &HeaderName::Contact).contains("0102"));
        answer(&mut world, FIRST);
        bye(&mut world, 1, 0);
        let record = world.record(1);
        assert_eq!(record.caller.number, "102");
        assert_eq!(record.shown_outside.as_deref(), Some(""));
    }
}

#[test]
fn chapter_8_2_the_number_of_another_extension_is_shown_in_place_of_its_own() {
    let other = CallerId::Extension(ExtensionId::new(1));
    let mut world = world(other, IdentityHeader::From);
    dial(&mut world, 1, "95551234");
    assert_eq!(
        identity(&world, FIRST),
        ["<sip:5550101@10.9.0.1>", "", "", ""]
    );
    answer(&mut world, FIRST);
    bye(&mut world, 1, 0);
    let record = world.record(1);
    assert_eq!(record.caller.number, "102");
    assert_eq!(record.shown_outside.as_deref(), Some("5550101"));
}

#[test]
fn a_call_inside_shows_the_extension_itself() {
    for shown in [CallerId::Hidden, CallerId::Extension(ExtensionId::new(1))] {
        let mut world = world(shown, IdentityHeader::From);
        dial(&mut world, 1, "101");
        assert_eq!(seen(&mut world, 0), ["INVITE from \"User 2\" <sip:102"]);
        answer(&mut world, 0);
        bye(&mut world, 1, 0);
        assert_eq!(world.record(1).shown_outside, None);
    }
}

#[test]
fn who_helps_sees_who_calls() {
    for shown in [CallerId::Hidden, CallerId::Extension(ExtensionId::new(1))] {
        let mut world = world(shown, IdentityHeader::From);
        dial(&mut world, 1, "911");
        assert_eq!(
            identity(&world, FIRST),
            ["<sip:5550102@10.9.0.1>", "", "", ""]
        );
    }
}

#[test]
fn the_explanation_says_what_is_shown() {
    let explained = |shown, header, dialled| {
        let world = world(shown, header);
        let steps = (world.switch)
            .explain(Caller::Extension(ExtensionId::new(2)), dialled)
            .steps;
        let calling = steps.iter().find_map(|step| match step {
            Step::Attempt { calling, .. } => Some(calling.clone()),
            _ => None,
        });
        let shown = steps.into_iter().find_map(|step| match step {
            Step::CallerId { extension } => Some(extension),
            _ => None,
        });
        (shown, calling.expect("an attempt"))
    };
    let another = ExtensionId::new(1);
    let (from, asserted) = (IdentityHeader::From, IdentityHeader::AssertedIdentity);
    let own = |shown, number: &str| (shown, number.to_owned());
    assert_eq!(
        explained(CallerId::Own, from, "95551234"),
        own(None, "5550102")
    );
    assert_eq!(
        explained(CallerId::Hidden, from, "95551234"),
        own(Some(None), "anonymous")
    );
    assert_eq!(
        explained(CallerId::Hidden, asserted, "95551234"),
        own(Some(None), "5550102")
    );
    assert_eq!(
        explained(CallerId::Extension(another), from, "95551234"),
        own(Some(Some(another)), "5550101")
    );
    assert_eq!(
        explained(CallerId::Hidden, from, "911"),
        own(None, "5550102")
    );
}
