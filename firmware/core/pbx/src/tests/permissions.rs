//! Calls to the outside that an extension may or may not make.

use model::config::{Permission, PermissionGroup, PermissionRule};
use model::explain::{Caller, Step, Verdict};
use model::{Disposition, EndedBy, ExtensionId, PermissionGroupId};

use super::outside::{FIRST, changed};
use super::*;
use crate::testing::world::World;
use Permission::{Allow, Deny};

/// 101 has a group with these rules, 102 has none; 9 dials out, 112 is an emergency number.
fn world(rules: &[(&str, Permission)], default: Permission) -> World {
    let mut world = changed(|configuration| {
        let id = PermissionGroupId::new(1);
        configuration.permission_groups = vec![PermissionGroup {
            id,
            name: "Office".into(),
            description: String::new(),
            rules: (rules.iter())
                .map(|(prefix, permission)| PermissionRule {
                    prefix: (*prefix).into(),
                    permission: *permission,
                })
                .collect(),
            default,
            fraud_protection: true,
        }];
        configuration.extensions[0].permission_group = Some(id);
        assert_eq!(configuration.check(), []);
    });
    seen(&mut world, FIRST);
    world
}

/// Whether a call of this phone leaves.
fn leaves(world: &mut World, phone: usize, dialled: &str) -> bool {
    dial(world, phone, dialled);
    let left = seen(world, FIRST)
        .iter()
        .any(|what| what.starts_with("INVITE"));
    if left {
        refuse(world, FIRST, 486);
    }
    left
}

#[test]
fn chapter_23_2_limiting_calls_to_the_internal_network() {
    let mut world = world(&[], Deny);
    assert!(!leaves(&mut world, 0, "95551234"));
    // Internal calls are enabled by themselves, and so are those of who has no group.
    dial(&mut world, 0, "102");
    assert_eq!(seen(&mut world, 1), ["INVITE from \"User 1\" <sip:101"]);
    refuse(&mut world, 1, 486);
    assert!(leaves(&mut world, 1, "95551234"));
}

#[test]
fn chapter_23_2_restrictions_for_calls_to_premium_rate_services() {
    let mut world = world(&[("9900", Deny)], Allow);
    assert!(!leaves(&mut world, 0, "9900123456"));
    assert!(leaves(&mut world, 0, "9800123456"));
    // The rule has the prefix for calls out: it is the number as it is dialled.
    assert!(leaves(&mut world, 0, "99900123"));
}

#[test]
fn chapter_23_2_restrictions_for_calls_of_a_specific_user() {
    let rules = [
        ("9900654321", Allow),
        ("9900", Deny),
        ("95550111", Deny),
        ("95550222", Deny),
    ];
    let mut world = world(&rules, Allow);
    for (dialled, allowed) in [
        ("9900654321", true),
        ("9900654322", false),
        ("95550111", false),
        ("95550222", false),
        ("95550333", true),
    ] {
        assert_eq!(leaves(&mut world, 0, dialled), allowed, "{dialled}");
    }
}

#[test]
fn no_permission_stands_in_the_way_of_help() {
    for dialled in ["112", "9112"] {
        let mut world = world(&[("9", Deny), ("112", Deny)], Deny);
        dial(&mut world, 0, dialled);
        assert!(!seen(&mut world, FIRST).is_empty(), "{dialled}");
    }
}

#[test]
fn who_is_refused_is_told_why_and_so_are_the_logs_and_the_record() {
    let mut world = world(&[("9900", Deny)], Allow);
    seen(&mut world, 0);
    world.log.clear();
    dial(&mut world, 0, "9900123456");
    assert_eq!(seen(&mut world, 0), ["403"]);
    let reason = &world.phones[0].reason;
    assert!(reason.starts_with("Q.850;cause=21"), "{reason}");
    assert!(
        reason.contains("This extension may not call this number"),
        "{reason}"
    );
    let record = world.record(1);
    assert_eq!(
        (record.disposition, record.ended_by, record.cause.value()),
        (Disposition::NotPermitted, EndedBy::Exchange, 21)
    );
    let row = "Call of extension 101 to 9900123456 refused: call permission group \"Office\" denies \
               numbers that begin with 9900";
    // Once in the Warning log and once in the Security log.
    assert_eq!(lines(&world, &["Call of"]), [row, row]);
    for _ in 0..20 {
        dial(&mut world, 0, "9900123457");
    }
    world.pass_ms(60_000);
    assert_eq!(lines(&world, &["Call of"]).len(), 2);
    let further = "Further calls of extension 101 refused, 20 times";
    assert_eq!(
        lines(&world, &["Further"]),
        [format!("{further} within a minute"), further.to_owned()]
    );
    nothing_left(&mut world);
}

#[test]
fn the_one_who_transfers_answers_for_the_call() {
    // 102 may call anywhere, 101 nowhere: it does not send 102 out, and is sent out by 102.
    let mut world = world(&[], Deny);
    connected(&mut world);
    seen(&mut world, FIRST);
    let refer = "Refer-To: <sip:95551234@pbx>\r\n";
    let request = world.phones[0].request(0, "REFER", refer, None);
    world.send(0, request);
    assert_eq!(
        seen(&mut world, 0).last().map(String::as_str),
        Some("403 REFER")
    );
    assert_eq!(seen(&mut world, FIRST), [""; 0]);
    assert_eq!(lines(&world, &["Call of"]).len(), 2);
    let request = world.phones[1].request(0, "REFER", refer, None);
    world.send(1, request);
    assert_eq!(seen(&mut world, FIRST).len(), 1);
}

#[test]
fn the_explainer_tells_the_group_and_the_rule() {
    let world = world(&[("9900654321", Allow), ("9900", Deny)], Allow);
    let explain = |dialled: &str| {
        let caller = Caller::Extension(ExtensionId::new(1));
        let explained = world.switch.explain(caller, dialled);
        let step = explained.steps.into_iter().find_map(|step| match step {
            Step::Permission {
                rule, permission, ..
            } => Some((rule, permission)),
            _ => None,
        });
        (step, explained.verdict)
    };
    let rule = |prefix: &str, permission| Some((Some(prefix.to_owned()), permission));
    let refused = Verdict::Refused {
        status: 403,
        cause: 21,
    };
    assert_eq!(
        explain("9900654321"),
        (rule("9900654321", Allow), Verdict::Leaves)
    );
    assert_eq!(explain("9900654322"), (rule("9900", Deny), refused));
    assert_eq!(explain("95551234"), (Some((None, Allow)), Verdict::Leaves));
    // Nothing is said of it where it makes no difference.
    assert_eq!(explain("102").0, None);
    assert_eq!(explain("112").0, None);
    assert!(lines(&world, &["Call of"]).is_empty());
}
