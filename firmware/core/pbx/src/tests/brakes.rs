//! The fraud protection: calls outside and minutes to costly numbers.

use model::config::{Brake, DayHours, PermissionGroup, Target, Used};
use model::explain::{Caller, Step, Verdict};
use model::{Disposition, EndedBy, ExtensionId, PermissionGroupId};

use super::outside::{FIRST, changed};
use super::*;
use crate::Input;
use crate::testing::world::World;

const ONE: ExtensionId = ExtensionId::new(1);
const TWO: ExtensionId = ExtensionId::new(2);

/// 9 dials out; of costly numbers ten minutes an hour may be talked to.
fn world() -> World {
    let mut world = changed(|configuration| {
        let protection = &mut configuration.fraud_protection;
        protection.extension.minutes_an_hour = Some(10);
        assert_eq!(configuration.check(), []);
    });
    seen(&mut world, FIRST);
    world
}

/// Whether a call of this phone leaves; it rings on.
fn leaves(world: &mut World, phone: usize, dialled: &str) -> bool {
    seen(world, FIRST);
    dial(world, phone, dialled);
    let left = seen(world, FIRST);
    left.iter().any(|what| what.starts_with("INVITE"))
}

/// A call of this phone leaves and is answered.
fn talks(world: &mut World, phone: usize, dialled: &str) {
    assert!(leaves(world, phone, dialled), "{dialled}");
    answer(world, FIRST);
}

/// Time passes, and the exchange looks at the clock.
fn wait(world: &mut World, ms: u64) {
    world.pass_ms(ms);
    world.happen(Input::Timeout);
}

fn used(world: &World, of: ExtensionId) -> Used {
    let brakes = world.switch.brakes();
    let of = (brakes.extensions.iter()).find(|one| one.extension == of);
    of.map_or(Used::default(), |one| one.used)
}

fn last_record(world: &World) -> &model::CallRecord {
    world.records.last().expect("a call is over")
}

#[test]
fn an_extension_has_so_many_calls_outside_at_a_time() {
    let mut world = world();
    for n in 0..5 {
        assert!(leaves(&mut world, 0, &format!("9555000{n}")));
    }
    seen(&mut world, 0);
    world.log.clear();
    assert!(!leaves(&mut world, 0, "95550005"));
    assert_eq!(seen(&mut world, 0), ["403"]);
    let reason = &world.phones[0].reason;
    assert!(
        reason.contains("This extension has too many calls outside"),
        "{reason}"
    );
    let record = last_record(&world);
    assert_eq!(
        (record.disposition, record.brake),
        (Disposition::NotPermitted, Some(Brake::ExtensionCalls))
    );
    let row = "Call of extension 101 to 95550005 refused: fraud protection, so many calls outside it \
               has already";
    assert_eq!(lines(&world, &["Call of"]), [row, row]);
    assert!(!leaves(&mut world, 0, "95550006"));
    assert_eq!(
        lines(&world, &["Call of"]).len(),
        2,
        "the rest by the minute"
    );
    let reached = world.switch.brakes().extensions[0].reached.clone();
    let reached = reached.expect("it came upon a limit");
    assert_eq!((reached.brake, reached.times), (Brake::ExtensionCalls, 2));
    // Others may, and so may it inside and where one of its calls is over.
    assert!(leaves(&mut world, 1, "95550007"));
    dial(&mut world, 0, "102");
    assert_eq!(
        seen(&mut world, 1).last().map(|what| &what[..6]),
        Some("INVITE")
    );
    let dialog = world.phones[FIRST].dialogs.len() - 2;
    let refusal = world.phones[FIRST].respond(dialog, 486, &[], None);
    world.send(FIRST, refusal);
    assert!(leaves(&mut world, 0, "95550008"));
}

#[test]
fn minutes_to_costly_numbers_are_counted_and_end_the_calls_that_use_them_up() {
    let mut world = world();
    talks(&mut world, 0, "9777123456");
    talks(&mut world, 0, "90044201");
    talks(&mut world, 0, "9900123456");
    wait(&mut world, 240_000);
    let expected = Used {
        calls: 3,
        hour_s: 480,
        day_s: 480,
    };
    assert_eq!(used(&world, ONE), expected);
    assert_eq!(world.switch.brakes().exchange, expected);
    assert!(world.records.is_empty());
    world.log.clear();
    wait(&mut world, 75_000);
    // Both costly calls are over, the other one goes on.
    let ended: Vec<_> = (world
        .records
        .iter()
        .filter(|record| record.legs[0].quality.is_some()))
    .map(|record| {
        (
            record.dialled.as_str(),
            record.disposition,
            record.ended_by,
            record.brake,
        )
    })
    .collect();
    let how = (
        Disposition::Answered,
        EndedBy::Exchange,
        Some(Brake::ExtensionHour),
    );
    assert_eq!(
        ended,
        [
            ("90044201", how.0, how.1, how.2),
            ("9900123456", how.0, how.1, how.2)
        ]
    );
    let row = "Call of extension 101 to 0044201 ended: fraud protection, its minutes of an hour to costly \
               numbers are used up";
    assert_eq!(lines(&world, &["Call of"])[..2], [row, row]);
    assert_eq!(used(&world, ONE).calls, 1);
    // No new one begins, to whatever costly number; others do.
    assert!(!leaves(&mut world, 0, "90044202"));
    assert_eq!(last_record(&world).brake, Some(Brake::ExtensionHour));
    assert!(leaves(&mut world, 0, "9777123457"));
    refuse(&mut world, FIRST, 486);
    assert!(leaves(&mut world, 1, "90044202"));
    refuse(&mut world, FIRST, 486);
    wait(&mut world, 3_600_000);
    assert!(leaves(&mut world, 0, "90044202"));
}

#[test]
fn a_single_line_may_talk_for_an_hour_within_an_hour() {
    let mut world = changed(|configuration| {
        configuration.fraud_protection.extension.minutes_a_day = Some(70);
    });
    talks(&mut world, 0, "90044201");
    wait(&mut world, 69 * 60_000);
    assert!(world.records.is_empty(), "{:?}", world.records);
    assert_eq!(used(&world, ONE).hour_s, 3600);
    wait(&mut world, 75_000);
    let brake = world.records.first().and_then(|record| record.brake);
    assert_eq!(brake, Some(Brake::ExtensionDay));
}

#[test]
fn the_exchange_has_limits_of_its_own_which_end_no_call() {
    let mut world = changed(|configuration| {
        configuration.fraud_protection.exchange.minutes_an_hour = Some(5);
        configuration.fraud_protection.exchange.calls = Some(2);
    });
    talks(&mut world, 0, "90044201");
    wait(&mut world, 301_000);
    assert!(!leaves(&mut world, 1, "90044202"));
    assert_eq!(last_record(&world).brake, Some(Brake::ExchangeHour));
    assert!(leaves(&mut world, 1, "9777123456"));
    assert!(!leaves(&mut world, 1, "9777123457"));
    assert_eq!(last_record(&world).brake, Some(Brake::ExchangeCalls));
    assert_eq!(used(&world, ONE).calls, 1);
}

#[test]
fn no_brake_stands_in_the_way_of_help() {
    let mut world = changed(|configuration| {
        let protection = &mut configuration.fraud_protection;
        protection.costly.push("112".into());
        protection.extension.minutes_an_hour = Some(0);
        protection.exchange.minutes_an_hour = Some(0);
        protection.extension.calls = Some(1);
        protection.exchange.calls = Some(1);
        protection.hours = Some([None; 7]);
    });
    assert!(leaves(&mut world, 0, "9777123456"));
    assert!(!leaves(&mut world, 0, "9777123457"));
    for dialled in ["112", "9112"] {
        assert!(leaves(&mut world, 0, dialled), "{dialled}");
    }
    assert_eq!(used(&world, ONE).calls, 1, "they are not counted either");
}

#[test]
fn costly_numbers_have_their_hours_by_the_time_of_the_box() {
    let mut world = changed(|configuration| {
        let mut days = [None; 7];
        days[1] = Some(DayHours {
            from_min: 23 * 60,
            to_min: 24 * 60,
        });
        configuration.fraud_protection.hours = Some(days);
    });
    // It is Tuesday, 22:13 UTC.
    assert!(!leaves(&mut world, 0, "90044201"));
    assert_eq!(last_record(&world).brake, Some(Brake::OutOfHours));
    assert!(leaves(&mut world, 0, "9777123456"));
    world.happen(Input::Zone(3600));
    assert!(leaves(&mut world, 0, "90044201"));
}

#[test]
fn a_group_may_be_free_of_the_fraud_protection_and_so_may_all() {
    for group in [true, false] {
        let mut world = changed(|configuration| {
            configuration.fraud_protection.extension.calls = Some(1);
            configuration.fraud_protection.enabled = group;
            if group {
                let id = PermissionGroupId::new(1);
                configuration.permission_groups = vec![PermissionGroup {
                    id,
                    name: "Switchboard".into(),
                    description: String::new(),
                    rules: Vec::new(),
                    default: model::config::Permission::Allow,
                    fraud_protection: false,
                }];
                configuration.extensions[0].permission_group = Some(id);
            }
        });
        for n in 0..7 {
            assert!(leaves(&mut world, 0, &format!("9004400{n}")));
        }
        assert!(leaves(&mut world, 1, "95550001"));
        assert_eq!(leaves(&mut world, 1, "95550002"), !group);
    }
}

#[test]
fn calls_that_a_rule_sends_outside_are_on_the_account_of_who_was_called() {
    let mut world = changed(|configuration| {
        configuration.fraud_protection.extension.calls = Some(1);
        let number = "90044201".parse().expect("a number");
        configuration.users[1].ringing.always = Some(Target::Number(number));
    });
    talks(&mut world, FIRST, "5550102");
    let calls = |world: &World| (used(world, ONE).calls, used(world, TWO).calls);
    assert_eq!(calls(&world), (0, 1));
    world.log.clear();
    dial(&mut world, 0, "102");
    let row = "Call of extension 102 to 90044201 refused: fraud protection, so many calls outside it \
               has already";
    assert_eq!(lines(&world, &["Call of"]), [row, row]);
    assert_eq!(last_record(&world).disposition, Disposition::Unreachable);
    assert_eq!(calls(&world), (0, 1));
}

#[test]
fn a_call_stays_on_the_account_of_who_dialled_it_wherever_it_goes_on() {
    let mut world = world();
    talks(&mut world, 0, "90044201");
    wait(&mut world, 60_000);
    let refer = "Refer-To: <sip:102@pbx>\r\n";
    let dialog = world.phones[0].dialogs.len() - 1;
    let request = world.phones[0].request(dialog, "REFER", refer, None);
    world.send(0, request);
    answer(&mut world, 1);
    wait(&mut world, 20_000);
    assert_eq!(used(&world, ONE).hour_s, 80);
    assert_eq!(used(&world, TWO).calls, 0);
    bye(&mut world, 1, 0);
    wait(&mut world, 60_000);
    let expected = Used {
        calls: 0,
        hour_s: 80,
        day_s: 80,
    };
    assert_eq!(used(&world, ONE), expected);
}

#[test]
fn the_explainer_tells_what_is_used_and_what_holds_a_call() {
    let mut world = world();
    let explain = |world: &World, dialled: &str| {
        let explained = world.switch.explain(Caller::Extension(ONE), dialled);
        let step = explained.steps.into_iter().find_map(|step| match step {
            Step::Brakes {
                costly,
                used,
                brake,
                ..
            } => Some((costly, used.hour_s, brake)),
            _ => None,
        });
        (step, explained.verdict)
    };
    let costly = Some("00".to_owned());
    let refused = Verdict::Refused {
        status: 403,
        cause: 21,
    };
    let before = explain(&world, "90044201");
    assert_eq!(before, (Some((costly.clone(), 0, None)), Verdict::Leaves));
    talks(&mut world, 0, "90044201");
    talks(&mut world, 0, "90044201");
    wait(&mut world, 300_000);
    let after = explain(&world, "90044201");
    let hour = Some(Brake::ExtensionHour);
    assert_eq!(after, (Some((costly, 600, hour)), refused));
    assert_eq!(
        explain(&world, "9777123456"),
        (Some((None, 600, None)), Verdict::Leaves)
    );
    for inside in ["102", "112"] {
        assert_eq!(explain(&world, inside).0, None);
    }
}
