//! Calls for help.

use model::config::Emergency;
use model::explain::{Caller, Step, Verdict};
use model::{Cause, Disposition, EndedBy, ExtensionId, RouteId};

use super::outside::{FIRST, SECOND, changed};
use super::*;
use crate::testing::world::World;
use crate::testing::{interface, outbound, rewrite};

/// 9 dials out by both providers; the emergency numbers are those of the United States.
fn world() -> World {
    let mut world = changed(|configuration| configuration.emergency = Emergency::preset("US"));
    seen(&mut world, FIRST);
    seen(&mut world, SECOND);
    world
}

fn invited_for(world: &World, server: usize, dialog: usize) -> String {
    world.phones[server].dialogs[dialog].invite.uri.to_string()
}

#[test]
fn chapter_18_3_an_emergency_number_arrives_as_it_is_with_the_prefix_and_without() {
    for dialled in ["911", "9911", "112", "9112"] {
        let mut world = world();
        dial(&mut world, 0, dialled);
        let wanted = format!("sip:{}@10.9.0.1", &dialled[dialled.len() - 3..]);
        assert_eq!(invited_for(&world, FIRST, 0), wanted, "{dialled}");
    }
}

#[test]
fn no_rewriting_rule_touches_an_emergency_number() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.routes[0].outgoing.called = rewrite(2, "00");
    });
    dial(&mut world, 0, "911");
    assert_eq!(invited_for(&world, FIRST, 0), "sip:911@10.9.0.1");
}

#[test]
fn the_chosen_routes_are_tried_in_their_order_and_whatever_one_says_the_next_is_tried() {
    for status in [404, 486, 503, 603] {
        let mut world = changed(|configuration| {
            let mut second = outbound("8", &[2]);
            second.id = RouteId::new(2);
            configuration.routes.push(second);
            configuration.emergency.routes = vec![RouteId::new(2), RouteId::new(1)];
        });
        seen(&mut world, FIRST);
        dial(&mut world, 0, "112");
        assert_eq!(invited_for(&world, SECOND, 0), "sip:112@10.9.0.2");
        assert_eq!(seen(&mut world, FIRST), [""; 0]);
        refuse(&mut world, SECOND, status);
        assert_eq!(
            invited_for(&world, FIRST, 0),
            "sip:112@10.9.0.1",
            "{status}"
        );
        answer(&mut world, FIRST);
        assert!(seen(&mut world, 0).contains(&"200".to_owned()));
    }
}

#[test]
fn a_call_for_help_takes_the_line_of_an_ordinary_one() {
    let mut world = world();
    dial(&mut world, 0, "95551234");
    answer(&mut world, FIRST);
    seen(&mut world, 0);
    seen(&mut world, FIRST);
    dial(&mut world, 1, "911");
    refuse(&mut world, FIRST, 503);
    refuse(&mut world, SECOND, 503);
    // The ordinary call ends on both sides, and its line is tried once the network has it back.
    assert_eq!(seen(&mut world, 0), ["BYE"]);
    assert_eq!(
        seen(&mut world, FIRST).last().map(String::as_str),
        Some("BYE")
    );
    world.pass_ms(300);
    assert_eq!(invited_for(&world, FIRST, 2), "sip:911@10.9.0.1");
    answer(&mut world, FIRST);
    assert!(seen(&mut world, 1).contains(&"200".to_owned()));
    let ended = world.record(1);
    assert_eq!(
        (ended.disposition, ended.cause, ended.ended_by),
        (Disposition::Answered, Cause::PREEMPTION, EndedBy::Exchange)
    );
    // Another call for help takes no line from this one.
    dial(&mut world, 0, "911");
    refuse(&mut world, FIRST, 503);
    refuse(&mut world, SECOND, 503);
    assert_eq!(seen(&mut world, 1), [""; 0]);
}

#[test]
fn a_line_that_is_not_free_at_once_is_tried_again() {
    let mut world = world();
    dial(&mut world, 0, "95551234");
    answer(&mut world, FIRST);
    dial(&mut world, 1, "911");
    refuse(&mut world, FIRST, 503);
    refuse(&mut world, SECOND, 503);
    for wait in [300, 700, 2000] {
        let before = world.phones[FIRST].dialogs.len();
        world.pass_ms(wait);
        assert_eq!(world.phones[FIRST].dialogs.len(), before + 1, "{wait}");
        refuse(&mut world, FIRST, 503);
    }
    assert!(seen(&mut world, 1).contains(&"502".to_owned()));
}

#[test]
fn no_call_is_ended_for_a_number_that_a_provider_does_not_know() {
    let mut world = world();
    dial(&mut world, 0, "95551234");
    answer(&mut world, FIRST);
    seen(&mut world, 0);
    dial(&mut world, 1, "112");
    refuse(&mut world, FIRST, 404);
    refuse(&mut world, SECOND, 404);
    world.pass_ms(5000);
    assert_eq!(seen(&mut world, 0), [""; 0]);
    assert_eq!(seen(&mut world, 1).last().map(String::as_str), Some("404"));
}

#[test]
fn a_way_that_does_not_ring_soon_is_left_and_one_that_rings_is_not() {
    let mut world = world();
    dial(&mut world, 0, "911");
    let trying = world.phones[FIRST].respond(0, 100, &[], None);
    world.send(FIRST, trying);
    world.pass_ms(11_900);
    assert_eq!(seen(&mut world, SECOND), [""; 0]);
    world.pass_ms(200);
    assert_eq!(invited_for(&world, SECOND, 0), "sip:911@10.9.0.2");
    ring(&mut world, SECOND);
    world.pass_ms(600_000);
    assert!(!seen(&mut world, SECOND).contains(&"CANCEL".to_owned()));
    answer(&mut world, SECOND);
    assert!(seen(&mut world, 0).contains(&"200".to_owned()));
}

#[test]
fn a_number_of_another_exchange_or_of_an_extension_is_no_call_for_help() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        // What begins with 5 is a number of the branch.
        let mut branch = outbound("5", &[2]);
        branch.id = RouteId::new(2);
        branch.outgoing.called = rewrite(0, "");
        configuration.routes.push(branch);
        configuration.extensions[1].number = "9911".parse().unwrap();
    });
    seen(&mut world, FIRST);
    dial(&mut world, 0, "5112");
    assert_eq!(invited_for(&world, SECOND, 0), "sip:5112@10.9.0.2");
    refuse(&mut world, SECOND, 404);
    dial(&mut world, 0, "9911");
    assert_eq!(seen(&mut world, FIRST), [""; 0]);
}

#[test]
fn all_routes_are_ways_the_chosen_first_then_providers_then_longer_prefixes() {
    let order = |chosen: &[u32]| {
        let mut configuration = crate::testing::configuration(1);
        let mut branch = interface(3, "10.9.0.3", &[]);
        branch.partner = model::config::Partner::Exchange;
        configuration.interfaces = vec![interface(1, "10.9.0.1", &[]), branch];
        let routes = [("5", 3), ("0", 1), ("42", 1), ("777", 3)];
        configuration.routes = (routes.into_iter().zip(1..))
            .map(|((prefix, to), id)| {
                let mut route = outbound(prefix, &[to]);
                route.id = RouteId::new(id);
                route
            })
            .collect();
        configuration.emergency.routes = chosen.iter().copied().map(RouteId::new).collect();
        let ids = configuration.emergency_routes().map(|route| route.id.raw());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(order(&[]), [3, 2, 4, 1]);
    assert_eq!(order(&[1]), [1, 3, 2, 4]);
}

#[test]
fn the_chosen_route_goes_before_the_one_that_was_dialled() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        let mut second = outbound("8", &[2]);
        second.id = RouteId::new(2);
        configuration.routes.push(second);
        configuration.emergency.routes = vec![RouteId::new(2)];
    });
    dial(&mut world, 0, "9112");
    assert_eq!(invited_for(&world, SECOND, 0), "sip:112@10.9.0.2");
    refuse(&mut world, SECOND, 503);
    assert_eq!(invited_for(&world, FIRST, 0), "sip:112@10.9.0.1");
}

#[test]
fn one_extension_calls_for_help_four_times_at_once_without_limits() {
    let mut world = world();
    let id = ExtensionId::new(1);
    for _ in 0..4 {
        assert!(!world.switch.calls_enough_for_help(id));
        dial(&mut world, 0, "911");
        ring(&mut world, FIRST);
    }
    assert!(world.switch.calls_enough_for_help(id));
    assert!(!world.switch.calls_enough_for_help(ExtensionId::new(2)));
}

#[test]
fn an_administrator_is_told_of_a_call_for_help_without_any_way_and_of_one_that_was_answered() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.interfaces.clear();
        configuration.routes.clear();
    });
    world.take_log();
    dial(&mut world, 0, "911");
    let log = world.take_log();
    assert!(
        log.iter().any(|row| row.contains("Emergency call of 101")),
        "{log:?}"
    );
    assert!(
        log.iter().any(|row| row.contains("was not put through")),
        "{log:?}"
    );
    let mut world = self::world();
    dial(&mut world, 0, "911");
    world.take_log();
    answer(&mut world, FIRST);
    let log = world.take_log();
    assert!(
        log.iter()
            .any(|row| row.ends_with("was answered by provider1")),
        "{log:?}"
    );
}

#[test]
fn an_administrator_is_told_at_once_and_where_nobody_was_reached() {
    let mut world = world();
    world.take_log();
    dial(&mut world, 0, "9911");
    let told =
        |world: &mut World, what: &str| world.take_log().iter().any(|row| row.contains(what));
    assert!(told(&mut world, "Emergency call of 101 (User 1) to 9911"));
    refuse(&mut world, FIRST, 503);
    refuse(&mut world, SECOND, 503);
    assert!(told(&mut world, "was not put through"));
    assert_eq!(seen(&mut world, 0), ["502"]);
}

#[test]
fn a_call_for_help_is_explained_and_dials_nothing() {
    let world = world();
    let explained = world
        .switch
        .explain(Caller::Extension(ExtensionId::new(1)), "911");
    assert_eq!(explained.verdict, Verdict::Leaves);
    assert!(explained.steps.contains(&Step::Emergency {
        number: "911".into(),
        prefix: String::new(),
    }));
    // The route is told once, and its ways after it.
    let told: Vec<_> = (explained.steps.iter())
        .filter_map(|step| match step {
            Step::Route { prefix, .. } => Some(prefix.as_str()),
            Step::Attempt { called, .. } => Some(called.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["9", "911", "911"]);
    assert!(world.phones[FIRST].dialogs.is_empty());
}

#[test]
fn without_direct_dialling_the_prefix_is_needed() {
    let mut world = changed(|configuration| configuration.emergency.direct = false);
    seen(&mut world, FIRST);
    dial(&mut world, 0, "112");
    assert_eq!(seen(&mut world, 0), ["404"]);
    dial(&mut world, 0, "9112");
    assert_eq!(invited_for(&world, FIRST, 0), "sip:112@10.9.0.1");
}

#[test]
fn who_is_disabled_may_call_for_help_and_nobody_else() {
    for whom in ["user", "extension"] {
        let mut world = changed(|configuration| {
            configuration.emergency = Emergency::preset("US");
            match whom {
                "user" => configuration.users[0].enabled = false,
                _ => configuration.extensions[0].enabled = false,
            }
        });
        seen(&mut world, FIRST);
        seen(&mut world, 0);
        dial(&mut world, 0, "95551234");
        assert_eq!(seen(&mut world, FIRST), [""; 0], "{whom}");
        dial(&mut world, 0, "9911");
        assert_eq!(invited_for(&world, FIRST, 0), "sip:911@10.9.0.1", "{whom}");
        answer(&mut world, FIRST);
        assert!(seen(&mut world, 0).contains(&"200".to_owned()), "{whom}");
    }
}

#[test]
fn a_provider_that_does_not_let_us_register_is_asked_for_help_all_the_same() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.interfaces[1].enabled = false;
    });
    world.phones[FIRST].dead = true;
    world.pass_ms(340_000);
    seen(&mut world, 0);
    dial(&mut world, 0, "95551234");
    assert_eq!(seen(&mut world, 0), ["502"]);
    world.phones[FIRST].dead = false;
    dial(&mut world, 0, "911");
    let last = world.phones[FIRST].dialogs.len() - 1;
    assert_eq!(invited_for(&world, FIRST, last), "sip:911@10.9.0.1");
    assert_eq!(seen(&mut world, SECOND), [""; 0]);
}

#[test]
fn a_call_for_help_is_not_refused_for_what_is_not_encrypted() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.extensions[0].srtp = model::SrtpPolicy::Required;
    });
    seen(&mut world, FIRST);
    dial(&mut world, 0, "95551234");
    assert!(seen(&mut world, 0).contains(&"488".to_owned()));
    dial(&mut world, 0, "911");
    assert_eq!(invited_for(&world, FIRST, 0), "sip:911@10.9.0.1");
}

#[test]
fn a_provider_without_encryption_is_asked_for_help_in_the_clear() {
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.interfaces[0].srtp = model::SrtpPolicy::Required;
    });
    dial(&mut world, 0, "911");
    assert_eq!(invited_for(&world, FIRST, 0), "sip:911@10.9.0.1");
    refuse(&mut world, FIRST, 488);
    assert_eq!(invited_for(&world, FIRST, 1), "sip:911@10.9.0.1");
    answer(&mut world, FIRST);
    assert!(seen(&mut world, 0).contains(&"200".to_owned()));
    // Where help answers in the clear at once, it is heard.
    let mut world = changed(|configuration| {
        configuration.emergency = Emergency::preset("US");
        configuration.interfaces[0].srtp = model::SrtpPolicy::Required;
    });
    dial(&mut world, 0, "911");
    answer(&mut world, FIRST);
    assert!(seen(&mut world, 0).contains(&"200".to_owned()));
    // An ordinary call stays encrypted or fails.
    let before = world.phones[FIRST].dialogs.len();
    dial(&mut world, 1, "95551234");
    refuse(&mut world, FIRST, 488);
    assert_eq!(world.phones[FIRST].dialogs.len(), before + 1);
}
