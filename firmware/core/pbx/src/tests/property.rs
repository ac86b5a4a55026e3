//! Whatever phones do in whatever order: no panic, and nothing is left when all is over.

use core::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::Input;

#[derive(Clone, Copy, Debug)]
enum Act {
    Dial {
        from: usize,
        to: usize,
    },
    /// Dials, and the newest call there is answered.
    Connect {
        from: usize,
        to: usize,
    },
    Respond {
        phone: usize,
        dialog: usize,
        status: u16,
        sdp: bool,
    },
    Cancel {
        phone: usize,
        dialog: usize,
    },
    Bye {
        phone: usize,
        dialog: usize,
    },
    Reoffer {
        phone: usize,
        dialog: usize,
        hold: bool,
    },
    Refer {
        phone: usize,
        dialog: usize,
        to: usize,
    },
    ReferReplaces {
        phone: usize,
        dialog: usize,
        other: usize,
    },
    Replace {
        phone: usize,
        of: usize,
        dialog: usize,
    },
    Silent {
        port: u16,
    },
    HangUp {
        call: u64,
    },
    Pass {
        ms: u64,
    },
}

const PHONES: usize = 4;

fn act() -> impl Strategy<Value = Act> {
    let phone = || 0..PHONES;
    let dialog = || 0..4_usize;
    let status = prop::sample::select(vec![180, 183, 200, 200, 200, 486, 603, 302, 408]);
    prop_oneof![
        3 => (phone(), phone()).prop_map(|(from, to)| Act::Dial { from, to }),
        6 => (phone(), phone()).prop_map(|(from, to)| Act::Connect { from, to }),
        6 => (phone(), dialog(), status, any::<bool>()).prop_map(|(phone, dialog, status, sdp)| {
            Act::Respond { phone, dialog, status, sdp: sdp || status == 200 }
        }),
        1 => (phone(), dialog()).prop_map(|(phone, dialog)| Act::Cancel { phone, dialog }),
        2 => (phone(), dialog()).prop_map(|(phone, dialog)| Act::Bye { phone, dialog }),
        2 => (phone(), dialog(), any::<bool>())
            .prop_map(|(phone, dialog, hold)| Act::Reoffer { phone, dialog, hold }),
        6 => (phone(), dialog(), phone())
            .prop_map(|(phone, dialog, to)| Act::Refer { phone, dialog, to }),
        5 => (phone(), dialog(), dialog())
            .prop_map(|(phone, dialog, other)| Act::ReferReplaces { phone, dialog, other }),
        3 => (phone(), phone(), dialog())
            .prop_map(|(phone, of, dialog)| Act::Replace { phone, of, dialog }),
        1 => (0..12_u16).prop_map(|port| Act::Silent { port }),
        1 => (1..8_u64).prop_map(|call| Act::HangUp { call }),
        2 => prop::sample::select(vec![0, 10, 10, 10, 1000, 1000, 6000, 70_000]).prop_map(|ms| Act::Pass { ms }),
    ]
}

/// `dialog` counts from the newest.
fn perform(world: &mut World, act: Act) {
    let act = from_newest(world, act);
    let has =
        |world: &World, phone: usize, dialog: usize| world.phones[phone].dialogs.len() > dialog;
    match act {
        Act::Dial { from, to } => dial(world, from, &(101 + to).to_string()),
        Act::Connect { from, to } => {
            dial(world, from, &(101 + to).to_string());
            if world.phones[to]
                .dialogs
                .last()
                .is_some_and(|dialog| dialog.incoming)
            {
                answer(world, to);
            }
        }
        Act::Respond {
            phone,
            dialog,
            status,
            sdp,
        } if has(world, phone, dialog) && world.phones[phone].dialogs[dialog].incoming => {
            let body = sdp.then(|| world.phones[phone].sdp("8", "sendrecv"));
            let response = world.phones[phone].respond(dialog, status, &[], body.as_deref());
            world.send(phone, response);
        }
        Act::Cancel { phone, dialog }
            if has(world, phone, dialog) && !world.phones[phone].dialogs[dialog].incoming =>
        {
            let cancel = world.phones[phone].cancel(dialog);
            world.send(phone, cancel);
        }
        Act::Bye { phone, dialog } if has(world, phone, dialog) => bye(world, phone, dialog),
        Act::Reoffer {
            phone,
            dialog,
            hold,
        } if has(world, phone, dialog) => {
            let direction = if hold { "sendonly" } else { "sendrecv" };
            let offer = world.phones[phone].sdp("0 8", direction);
            let invite = world.phones[phone].request(dialog, "UPDATE", "", Some(&offer));
            world.send(phone, invite);
        }
        Act::Refer { phone, dialog, to } if has(world, phone, dialog) => {
            let extra = format!("Refer-To: <sip:{}@pbx>\r\n", 101 + to);
            let refer = world.phones[phone].request(dialog, "REFER", &extra, None);
            world.send(phone, refer);
        }
        Act::ReferReplaces {
            phone,
            dialog,
            other,
        } if has(world, phone, dialog) && has(world, phone, other) => {
            let replaces = (world.phones[phone].dialogs[other].replaces())
                .replace(';', "%3B")
                .replace('=', "%3D")
                .replace(':', "%3A");
            let extra = format!("Refer-To: <sip:101@pbx?Replaces={replaces}>\r\n");
            let refer = world.phones[phone].request(dialog, "REFER", &extra, None);
            world.send(phone, refer);
        }
        Act::Replace { phone, of, dialog } if has(world, of, dialog) => {
            let extra = format!(
                "Replaces: {}\r\n",
                world.phones[of].dialogs[dialog].replaces()
            );
            let offer = world.phones[phone].sdp("8", "sendrecv");
            let invite = world.phones[phone].invite("101", &extra, Some(&offer));
            world.send(phone, invite);
        }
        Act::Silent { port } => world.happen(Input::Media(media::Event::Silent {
            port: model::PortId::new(port),
            for_ms: 60_000,
        })),
        Act::HangUp { call } => world.happen(hang_up(model::CallId::new(call))),
        Act::Pass { ms } => world.pass(Duration::from_millis(ms)),
        _ => {}
    }
}

fn hang_up(call: model::CallId) -> Input {
    Input::HangUp {
        call,
        by: "Admin".into(),
    }
}

fn from_newest(world: &World, mut act: Act) -> Act {
    let turn = |phone: usize, dialog: &mut usize| {
        let count = world.phones[phone].dialogs.len();
        *dialog = count.checked_sub(*dialog + 1).unwrap_or(*dialog);
    };
    match &mut act {
        Act::Respond { phone, dialog, .. }
        | Act::Cancel { phone, dialog }
        | Act::Bye { phone, dialog }
        | Act::Reoffer { phone, dialog, .. }
        | Act::Refer { phone, dialog, .. } => turn(*phone, dialog),
        Act::ReferReplaces {
            phone,
            dialog,
            other,
        } => {
            turn(*phone, dialog);
            turn(*phone, other);
        }
        Act::Replace { of, dialog, .. } => turn(*of, dialog),
        Act::Dial { .. }
        | Act::Connect { .. }
        | Act::Silent { .. }
        | Act::HangUp { .. }
        | Act::Pass { .. } => {}
    }
    act
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_left_of_any_sequence(acts in prop::collection::vec(act(), 1..40)) {
        let mut world = World::new(u32::try_from(PHONES).expect("few"));
        for act in acts {
            perform(&mut world, act);
        }
        for call in world.switch.calls() {
            world.happen(hang_up(call.call));
        }
        world.pass(Duration::from_secs(120));
        for call in world.switch.calls() {
            world.happen(hang_up(call.call));
        }
        world.pass(Duration::from_secs(120));
        prop_assert!(world.switch.is_idle(), "{:?}", world.switch.calls());
        // Every call that was opened was closed.
        let opened: std::collections::BTreeSet<&String> =
            world.log.iter().filter(|line| line.starts_with("opened ")).collect();
        let mut closed: Vec<_> = world.records.iter().map(|record| record.call).collect();
        closed.sort();
        closed.dedup();
        prop_assert_eq!(opened.len(), closed.len());
    }

    #[test]
    fn no_octets_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        octets in prop::collection::vec(any::<u8>(), 0..200),
        act in 0..3_usize,
    ) {
        let mut world = World::new(2);
        connected(&mut world);
        let offer = world.phones[0].sdp("8", "sendonly");
        let mut spoilt = match act {
            0 => world.phones[0].request(0, "UPDATE", "", Some(&offer)),
            1 => world.phones[0].request(0, "REFER", "Refer-To: <sip:101@pbx>\r\n", None),
            _ => world.phones[0].invite("102", "", Some(&offer)),
        }
        .to_vec();
        for (at, octet) in edits {
            let at = at.index(spoilt.len());
            spoilt[at] = octet;
        }
        world.send(0, spoilt.into());
        world.send(1, octets.into());
        for call in world.switch.calls() {
            world.happen(hang_up(call.call));
        }
        nothing_left(&mut world);
    }
}
