//! The runs, and what each says of the exchange.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::phones::Phones;
use super::process::{Exchange, Usage};
use super::sound::Sound;
use crate::table::{Figure, figure};

/// The first extension's number.
const FIRST: u32 = 10_000;

/// A bench of one exchange and its phones.
struct Bench {
    exchange: Exchange,
    phones: Phones,
    sound: Sound,
    extensions: u32,
    /// The next pair that calls.
    next: u32,
}

impl Bench {
    fn start(extensions: u32, calls: u16) -> Result<Self> {
        let exchange = Exchange::start(FIRST, extensions, calls)?;
        let sound = Sound::new(exchange.address)?;
        let phones = Phones::new(exchange.address, sound.address()?)?;
        Ok(Self {
            exchange,
            phones,
            sound,
            extensions,
            next: 0,
        })
    }

    /// Registers all, at a rate.
    fn register(&mut self, per_second: u32) -> Result<()> {
        let mut begun = 0;
        let start = Instant::now();
        while self.phones.tally.registered < u64::from(self.extensions) {
            while begun < self.extensions
                && f64::from(begun) < start.elapsed().as_secs_f64() * f64::from(per_second)
            {
                self.phones.register(&(FIRST + begun).to_string());
                begun += 1;
            }
            self.phones.turn(Duration::from_millis(1))?;
            ensure!(
                start.elapsed() < Duration::from_secs(120),
                "registration does not end: {:?}",
                self.phones.tally
            );
        }
        Ok(())
    }

    fn call(&mut self, hold: Duration) {
        let half = self.extensions / 2;
        let caller = FIRST + self.next % half;
        let callee = FIRST + half + self.next % half;
        self.next += 1;
        self.phones
            .call(&caller.to_string(), &callee.to_string(), hold);
    }

    /// Begins calls at a rate for a while, then lets them end.
    fn calls(&mut self, per_second: u32, total: Duration, hold: Duration) -> Result<()> {
        let start = Instant::now();
        let count = (total.as_secs_f64() * f64::from(per_second)) as u32;
        let mut begun = 0;
        while begun < count {
            while begun < count
                && f64::from(begun) < start.elapsed().as_secs_f64() * f64::from(per_second)
            {
                self.call(hold);
                begun += 1;
            }
            self.phones.turn(Duration::from_millis(1))?;
        }
        self.drain(hold + Duration::from_secs(40))
    }

    fn drain(&mut self, limit: Duration) -> Result<()> {
        let start = Instant::now();
        while self.phones.busy() > 0 && start.elapsed() < limit {
            self.phones.turn(Duration::from_millis(1))?;
            if self.sound.address().is_ok() {
                self.sound.turn()?;
            }
        }
        Ok(())
    }

    fn usage(&self) -> Result<Usage> {
        self.exchange.usage()
    }
}

/// Registrations with digest, each of two requests.
pub fn registrations(count: u32, per_second: u32) -> Result<Vec<Figure>> {
    let mut bench = Bench::start(count, 10)?;
    let before = bench.usage()?;
    bench.register(per_second)?;
    let after = bench.usage()?;
    let each = (after.cpu - before.cpu).as_secs_f64() * 1000.0 / f64::from(count);
    let kb = (after.resident_kb.saturating_sub(before.resident_kb)) as f64 / f64::from(count);
    Ok(vec![
        figure(
            &format!("registration with digest, CPU ({count} at {per_second}/s)"),
            format!("{each:.3} ms"),
        )
        .against("0.06 promised; Asterisk 0.32"),
        figure("memory for each registration", format!("{kb:.1} kB")),
    ])
}

/// Calls between registered phones with a digest caller, set up and cleared.
pub fn calls(per_second: u32, seconds: u64) -> Result<Vec<Figure>> {
    let mut bench = Bench::start(1000, 1000)?;
    bench.register(2000)?;
    let before = bench.usage()?;
    let hold = Duration::from_millis(500);
    bench.calls(per_second, Duration::from_secs(seconds), hold)?;
    let after = bench.usage()?;
    let tally = bench.phones.tally.clone();
    let each = (after.cpu - before.cpu).as_secs_f64() * 1000.0 / tally.begun as f64;
    let stored = bench.exchange.stop()?;
    Ok(vec![
        figure(
            &format!("calls at {per_second}/s for {seconds} s: begun / answered / cleared"),
            format!("{} / {} / {}", tally.begun, tally.answered, tally.cleared),
        ),
        figure(
            "  refused, lost, sent again",
            format!("{:?}, {}, {}", tally.refused, tally.lost, tally.resent),
        ),
        figure("  in the history afterwards", stored.to_string()),
        figure("  CPU for each call", format!("{each:.3} ms"))
            .against("0.5 promised; Asterisk 5.3, Kamailio as a proxy 0.31"),
        figure(
            "  INVITE to 200, median / p99",
            format!(
                "{:.1} / {:.1} ms",
                percentile(&tally.setup_us, 50) / 1000.0,
                percentile(&tally.setup_us, 99) / 1000.0
            ),
        ),
        figure(
            "  memory at the most",
            format!("{:.0} MB", after.peak_kb as f64 / 1024.0),
        )
        .against("100 promised at 250/s; Asterisk 1900"),
    ])
}

/// Sound of so many calls at once, passed on.
pub fn relayed(calls: u32, seconds: u64) -> Result<Vec<Figure>> {
    let capacity = u16::try_from(calls + 20)?;
    let mut bench = Bench::start(200, capacity)?;
    bench.register(1000)?;
    for _ in 0..calls {
        bench.call(Duration::from_secs(seconds + 20));
        bench.phones.turn(Duration::from_millis(1))?;
    }
    let start = Instant::now();
    while bench.phones.tally.answered < u64::from(calls) {
        bench.phones.turn(Duration::from_millis(1))?;
        ensure!(
            start.elapsed() < Duration::from_secs(20),
            "calls are missing: {:?}",
            bench.phones.tally
        );
    }
    for leg in std::mem::take(&mut bench.phones.legs) {
        bench.sound.add(leg);
    }
    speak(&mut bench, Duration::from_secs(2))?;
    bench.sound.restart();
    let before = bench.usage()?;
    speak(&mut bench, Duration::from_secs(seconds))?;
    let after = bench.usage()?;
    bench.sound.hush();
    speak(&mut bench, Duration::from_millis(200))?;
    let (sent, came) = (bench.sound.sent, bench.sound.came);
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    let share = 100.0 * cpu / seconds as f64;
    // One that gave up on the way, as a debug build does where its media thread allocates, fails here.
    bench.exchange.stop()?;
    Ok(vec![
        figure(
            &format!("{calls} relayed G.711 calls for {seconds} s: packets sent / lost"),
            format!("{sent} / {}", sent.saturating_sub(came)),
        ),
        figure(
            "  legs heard",
            format!("{} of {}", bench.sound.legs_heard(), calls * 2),
        ),
        figure("  CPU", format!("{share:.1} % of a core"))
            .against("100 calls: 8 promised; Asterisk 23, rtpengine 10"),
        figure(
            "  CPU for each packet",
            format!("{:.1} µs", cpu * 1e6 / sent as f64),
        ),
        figure(
            "  delay through the exchange, median / p99 / most",
            format!(
                "{:.2} / {:.2} / {:.2} ms",
                percentile(&bench.sound.delays_us, 50) / 1000.0,
                percentile(&bench.sound.delays_us, 99) / 1000.0,
                percentile(&bench.sound.delays_us, 100) / 1000.0
            ),
        ),
        figure(
            "  memory",
            format!("{:.0} MB", after.resident_kb as f64 / 1024.0),
        ),
    ])
}

fn speak(bench: &mut Bench, span: Duration) -> Result<()> {
    let end = Instant::now() + span;
    while Instant::now() < end {
        bench.sound.turn()?;
        bench.phones.turn(Duration::ZERO)?;
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// Memory over a great many calls.
pub fn memory(total: u32, per_second: u32) -> Result<Vec<Figure>> {
    let mut bench = Bench::start(1000, 1000)?;
    bench.register(2000)?;
    let mut resident = Vec::new();
    let tenth = Duration::from_secs_f64(f64::from(total) / f64::from(per_second) / 10.0);
    for _ in 0..10 {
        bench.calls(per_second, tenth, Duration::from_millis(100))?;
        resident.push(bench.usage()?.resident_kb / 1024);
    }
    let tally = bench.phones.tally.clone();
    Ok(vec![
        figure(
            &format!("memory after each tenth of {total} calls"),
            format!("{resident:?} MB"),
        ),
        figure(
            "  answered, refused",
            format!("{}, {:?}", tally.answered, tally.refused),
        ),
    ])
}

/// More than it can take: what it still answers.
pub fn overload(rates: &[u32], seconds: u64) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for &rate in rates {
        let mut bench = Bench::start(1000, 2000)?;
        bench.register(2000)?;
        let before = bench.usage()?;
        let start = Instant::now();
        bench.calls(
            rate,
            Duration::from_secs(seconds),
            Duration::from_millis(200),
        )?;
        let took = start.elapsed().as_secs_f64();
        let after = bench.usage()?;
        let tally = &bench.phones.tally;
        figures.push(
            figure(
                &format!("offered {rate} calls/s for {seconds} s: answered / refused 503 / lost"),
                format!(
                    "{:.0}/s / {:.0}/s / {}  (core {:.0} %, {:.0} MB)",
                    tally.answered as f64 / seconds as f64,
                    tally.refused.get(&503).copied().unwrap_or_default() as f64 / seconds as f64,
                    tally.lost,
                    100.0 * (after.cpu - before.cpu).as_secs_f64() / took,
                    after.peak_kb as f64 / 1024.0
                ),
            )
            .against("90 % of the most kept; Asterisk collapses"),
        );
    }
    Ok(figures)
}

fn percentile(values: &[u64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len().saturating_sub(1)) * percent / 100;
    sorted.get(at).copied().unwrap_or_default() as f64
}
