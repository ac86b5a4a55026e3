//! Phones in the hands of monkeys: anything at any moment, over any network. All must end clean.

use model::ExtensionId;
use model::config::{Ring, Ringing, Target};
use testkit::phone::sdp::Direction;
use testkit::{Chance, Greeting, Keys, Line, Network, PhoneId, Quirks, Reliable, State, World};

/// What kind of mischief there is.
#[derive(Clone, Copy, Debug)]
struct Mischief {
    networks: bool,
    quirks: bool,
    power: bool,
    rules: bool,
}

fn pick<T: Copy>(chance: &mut Chance, from: &[T]) -> T {
    from[chance.below(from.len() as u64) as usize]
}

/// Some line of a phone that is not over.
fn some_line(w: &World, chance: &mut Chance, phone: PhoneId) -> Option<Line> {
    let calls = &w.at(phone).calls;
    let live: Vec<usize> = (0..calls.len()).filter(|n| !calls[*n].is_over()).collect();
    (!live.is_empty()).then(|| Line {
        phone,
        index: Some(pick(chance, &live)),
    })
}

fn quirk(chance: &mut Chance, quirks: &mut Quirks) {
    match chance.below(12) {
        0 => quirks.never_acks = true,
        1 => quirks.ignores_bye = true,
        2 => quirks.ignores_cancel = true,
        3 => quirks.answers_after_cancel = true,
        4 => quirks.answers_twice = true,
        5 => quirks.forks = 3,
        6 => quirks.doubles = true,
        7 => quirks.late_ringing = true,
        8 => quirks.old_cseq = true,
        9 => quirks.forgets = true,
        10 => quirks.never_pracks = true,
        _ => *quirks = Quirks::default(),
    }
}

fn act(w: &mut World, chance: &mut Chance, mischief: Mischief) {
    let phones: Vec<PhoneId> = w.phones().collect();
    let phone = pick(chance, &phones);
    let other = w.at(pick(chance, &phones)).profile.number.clone();
    let line = some_line(w, chance, phone);
    match (chance.below(20), line) {
        (0..=3, _) if w.at(phone).on && w.at(phone).calls_up() < 3 => {
            w.dial(phone, &other);
        }
        (4..=7, Some(line)) => w.answer(line),
        (8, Some(line)) => w.hang_up(line),
        (9, Some(line)) => w.refuse(line, pick(chance, &[486, 603, 480, 302])),
        (10, Some(line)) => {
            let way = [
                Direction::SendOnly,
                Direction::SendRecv,
                Direction::Inactive,
            ];
            w.offer(line, pick(chance, &way));
        }
        (11, Some(line)) => w.resume(line),
        (12 | 13, Some(line)) if w.is_talking(line) => w.transfer(line, &other),
        (14, Some(line)) if w.is_talking(line) => {
            if let Some(second) = some_line(w, chance, phone) {
                w.transfer_to(line, second);
            }
        }
        (15, Some(line)) => {
            let taker = pick(chance, &phones);
            if w.at(taker).on && w.at(taker).calls_up() < 3 {
                w.take_over(taker, line);
            }
        }
        (16, Some(line)) if w.is_talking(line) => {
            w.press(line, "5", pick(chance, &[Keys::Rtp, Keys::Info]));
        }
        (17, _) if mischief.quirks => w.set(phone, |p| quirk(chance, &mut p.quirks)),
        (17, _) => w.set(phone, |p| {
            p.greeting = pick(
                chance,
                &[Greeting::Ring, Greeting::EarlyMedia, Greeting::Answer],
            );
            p.update = chance.permille(500);
            p.offerless = chance.permille(200);
            p.codecs = pick(chance, &[&[8, 0][..], &[0], &[8]]).to_vec();
            p.reliable = pick(chance, &[Reliable::No, Reliable::Supported]);
        }),
        (18, _) if mischief.networks => {
            let network = pick(
                chance,
                &[Network::quiet(), Network::lossy(20), Network::wild(20)],
            );
            w.set_network(phone, network);
        }
        (18, _) => {
            if let Some(call) = w.calls().first() {
                w.hang_up_call(call.call);
            }
        }
        (19, _) if mischief.power => {
            if w.at(phone).on {
                w.power_off(phone);
            } else {
                w.power_on(phone, 5060);
            }
        }
        _ => {}
    }
}

/// Any ringing rules at all, but those that are refused.
fn rules(w: &mut World, chance: &mut Chance) {
    w.configure(|configuration| {
        for user in 0..4 {
            let mut target = |from: u64| {
                let id = from + 1 + chance.below(4 - from);
                Target::Extension(ExtensionId::new(u32::try_from(id).expect("of four")))
            };
            let mut ringing = Ringing {
                busy: Some(target(0)),
                no_answer: Some(target(0)),
                no_answer_s: Some(5),
                ..Ringing::default()
            };
            for id in 1..=4 {
                if chance.permille(400) {
                    ringing.rings.push(Ring {
                        target: Target::Extension(ExtensionId::new(id)),
                        after_s: u16::try_from(chance.below(4)).expect("below four"),
                        for_s: chance.permille(300).then_some(5),
                    });
                }
            }
            ringing.do_not_disturb = chance.permille(100);
            // Upwards only: nothing goes round.
            if user < 3 && chance.permille(150) {
                let id = u32::try_from(user + 2).expect("of four");
                ringing.always = Some(Target::Extension(ExtensionId::new(id)));
            }
            configuration.users[user].ringing = ringing;
        }
    });
}

fn monkeys(seeds: core::ops::Range<u64>, mischief: Mischief) {
    for seed in seeds {
        let mut w = World::builder()
            .many(101, 4)
            .seed(seed)
            .no_answer_s(10)
            .build();
        w.forgiving = mischief.quirks || mischief.power;
        let mut chance = Chance::new(seed ^ 0x6d6f_6e6b);
        for step in 0..60 {
            if mischief.rules && step % 20 == 0 {
                rules(&mut w, &mut chance);
            }
            act(&mut w, &mut chance, mischief);
            let pause = pick(&mut chance, &[0, 1, 2, 3, 5, 10, 30, 100, 700]);
            w.run_for(pause);
        }
        if !(mischief.networks || mischief.quirks || mischief.power) {
            everybody_hears_something(&mut w, seed);
        }
        w.finish();
    }
}

/// Who is in a call and listens hears the other, or a tone in its place: packets come all the time.
fn everybody_hears_something(w: &mut World, seed: u64) {
    let listens = |w: &World, line: Line| {
        let call = w.call(line);
        // Who sends its party away hears nothing until it is known whether it comes back.
        let sent_away = call.notified.last().is_some_and(|status| *status < 200);
        call.state == State::Talking
            && !sent_away
            && call.direction.receives()
            && call
                .remote
                .as_ref()
                .is_some_and(|remote| remote.direction.sends())
    };
    let received = |w: &World, line: Line| w.call(line).sound.counts.received;
    w.run_for(8000);
    let lines: Vec<(Line, u64)> = w
        .phones()
        .flat_map(|phone| {
            (0..w.at(phone).calls.len()).map(move |n| Line {
                phone,
                index: Some(n),
            })
        })
        .filter(|line| listens(w, *line))
        .map(|line| (line, received(w, line)))
        .collect();
    w.run_for(2000);
    for (line, before) in lines {
        let heard = received(w, line) - before;
        let name = &w.at(line.phone).name;
        assert!(
            !listens(w, line) || heard >= 80,
            "seed {seed}: {name} hears {heard} packets"
        );
    }
}

#[test]
fn on_a_quiet_network() {
    monkeys(
        0..60,
        Mischief {
            networks: false,
            quirks: false,
            power: false,
            rules: false,
        },
    );
}

#[test]
fn on_a_bad_network() {
    monkeys(
        100..150,
        Mischief {
            networks: true,
            quirks: false,
            power: false,
            rules: false,
        },
    );
}

#[test]
fn with_phones_that_misbehave() {
    monkeys(
        200..240,
        Mischief {
            networks: false,
            quirks: true,
            power: false,
            rules: false,
        },
    );
}

#[test]
fn with_everything_at_once() {
    monkeys(
        300..350,
        Mischief {
            networks: true,
            quirks: true,
            power: true,
            rules: false,
        },
    );
}

#[test]
fn whatever_goes_on_a_crash_leaves_no_phone_in_a_dead_call() {
    let quiet = Mischief {
        networks: false,
        quirks: false,
        power: false,
        rules: false,
    };
    let mut talked = 0;
    for seed in 400..460 {
        let mut w = World::builder()
            .many(101, 4)
            .seed(seed)
            .no_answer_s(10)
            .build();
        // What was ringing or being transferred is given up by the phones in their own words.
        w.forgiving = true;
        let mut chance = Chance::new(seed ^ 0x6d6f_6e6b);
        for _ in 0..60 {
            act(&mut w, &mut chance, quiet);
            let pause = pick(&mut chance, &[0, 1, 2, 3, 5, 10, 30, 100, 700]);
            w.run_for(pause);
        }
        let talking = |w: &World| {
            let calls = |phone| w.at(phone).calls.iter();
            (w.phones().flat_map(calls))
                .filter(|call| call.state == State::Talking)
                .count()
        };
        talked += talking(&w);
        w.restart();
        w.run_for(5000);
        // An INVITE that was on its way comes again, and begins a call of the new process.
        let new: usize = w.calls().iter().map(|call| call.legs.len()).sum();
        assert!(talking(&w) <= new, "seed {seed}: {}", talking(&w));
        w.finish();
    }
    assert!(talked > 60, "{talked}");
}

/// The phone whose voice a line hears.
fn speaker(w: &World, line: Line) -> Option<PhoneId> {
    w.phones().find(|phone| w.hears_voice(line, *phone))
}

#[test]
fn whatever_went_before_parties_of_a_call_hear_each_other_and_nobody_else() {
    let quiet = Mischief {
        networks: false,
        quirks: false,
        power: false,
        rules: false,
    };
    let mut heard = 0;
    for seed in 500..510 {
        let mut w = World::builder()
            .many(101, 5)
            .seed(seed)
            .no_answer_s(10)
            .build();
        w.forgiving = true;
        let mut chance = Chance::new(seed ^ 0x6d6f_6e6b);
        for n in 0..70 {
            act(&mut w, &mut chance, quiet);
            if chance.permille(60) {
                // It goes on behind the address of another network, and says so in all its calls.
                let phones: Vec<PhoneId> = w.phones().collect();
                let phone = pick(&mut chance, &phones);
                w.roam(phone, [198, 51, 100, n]);
                w.register(phone);
                for index in 0..w.at(phone).calls.len() {
                    let index = Some(index);
                    w.resume(Line { phone, index });
                }
            }
            let pause = pick(&mut chance, &[0, 1, 2, 3, 5, 10, 30, 100, 700]);
            w.run_for(pause);
        }
        w.run_for(40_000);
        let lines: Vec<Line> = (w.phones())
            .flat_map(|phone| {
                (0..w.at(phone).calls.len()).map(move |n| Line {
                    phone,
                    index: Some(n),
                })
            })
            .filter(|line| w.is_talking(*line))
            .collect();
        for line in &lines {
            w.resume(*line);
            w.run_for(100);
        }
        w.run_for(1000);
        for line in lines.into_iter().filter(|line| w.is_talking(*line)) {
            let number = |phone: PhoneId| w.at(phone).profile.number.clone();
            let other = speaker(&w, line);
            let Some(other) = other else {
                panic!("seed {seed}: {} hears nobody", number(line.phone));
            };
            let pair = [number(line.phone), number(other)];
            let together = w.calls().iter().any(|call| {
                let parties: Vec<&String> =
                    call.legs.iter().map(|leg| &leg.party.number).collect();
                matches!(parties[..], [a, b] if [a, b] == [&pair[0], &pair[1]] || [a, b] == [&pair[1], &pair[0]])
            });
            assert!(together, "seed {seed}: {pair:?} in no call");
            heard += 1;
        }
        w.finish();
    }
    assert!(heard > 20, "{heard}");
}

#[test]
fn by_the_ringing_rules_of_monkeys() {
    monkeys(
        400..460,
        Mischief {
            networks: false,
            quirks: false,
            power: false,
            rules: true,
        },
    );
}

#[test]
fn by_such_rules_and_with_everything_at_once() {
    monkeys(
        500..550,
        Mischief {
            networks: true,
            quirks: true,
            power: true,
            rules: true,
        },
    );
}
