//! The Debug log: what comes, and what becomes of calls, told while somebody wants it.

use super::*;
use crate::Input;

fn told(world: &mut World) -> Vec<String> {
    let mut log = world.take_log();
    log.retain(|line| line.starts_with("heard") || line.starts_with("Call "));
    log
}

#[test]
fn nothing_is_put_into_words_until_somebody_wants_it() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    answer(&mut world, 1);
    bye(&mut world, 1, 0);
    assert_eq!(told(&mut world), [""; 0]);
}

#[test]
fn the_way_of_a_call_is_told_step_by_step() {
    let mut world = World::new(2);
    world.happen(Input::Debug {
        messages: false,
        decisions: true,
    });
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    refuse(&mut world, 1, 486);
    assert_eq!(
        told(&mut world),
        [
            "Call 1: extension 101 dialled \"102\"\
             \n  the caller, extension 101, may be used\
             \n  \"102\" is a number\
             \n  in the dial plan it is extension 102\
             \n  the called extension 102 may be used\
             \n  phones that are registered: 1\
             \n  = extension 102 rings",
            "Call 1: 102 at UDP 10.0.1.2:5060 answers 180 before it accepts",
            "Call 1: 102 at UDP 10.0.1.2:5060 refuses the call: SIP status 486",
            "Call 1 has ended: Busy, cause 17 (user busy), ended by Called",
        ]
    );
    nothing_left(&mut world);
}

#[test]
fn each_message_that_comes_is_told_before_what_it_leads_to() {
    let mut world = World::new(2);
    world.happen(Input::Debug {
        messages: true,
        decisions: false,
    });
    dial(&mut world, 0, "999");
    let log = world.take_log();
    let heard = log.iter().position(|line| line.starts_with("heard INVITE"));
    let sent = log.iter().position(|line| line.contains("10.0.1.1 <"));
    assert!(heard.is_some() && heard < sent, "{log:?}");
    world.happen(Input::Debug {
        messages: false,
        decisions: false,
    });
    dial(&mut world, 0, "998");
    assert_eq!(told(&mut world), [""; 0]);
}
