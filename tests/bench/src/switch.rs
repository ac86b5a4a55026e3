//! The exchange without sockets: what a registration and a call cost inside `pbx::Switch`, on one core.
//!
//! Phones made of text stand at a wire without delay, and the media thread answers at once; time is
//! made up. So every run has the same messages, and only the exchange is measured.

mod phones;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use bytes::Bytes;
use model::config::{CallerId, Configuration, Extension};
use model::{
    CallId, Codec, ExtensionId, Flow, Instant, Quality, Secret, SrtpPolicy, Transport, WallTime,
};
use pbx::{Input, Output, Switch, SwitchConfig};
use platform::sys::alloc::counted;

use crate::cost::Meter;
use crate::table::{Figure, figure};
use phones::{PASSWORD, Phones, address, exchange, number};

/// Extensions: callers in the lower half, those they call in the upper.
const EXTENSIONS: u32 = 1000;

/// Calls before those that are measured: 36 s of them.
const WARM: u32 = 9000;

/// Calls that are up at a time.
const HELD: u32 = 400;

/// Longer than anything of a transaction lives (RFC 3261: 32 s).
const LINGER: Duration = Duration::from_secs(45);

/// A switch and what is around it.
struct World {
    switch: Switch,
    now: Instant,
    phones: Phones,
    meter: Meter,
    /// What the switch wants done.
    outputs: Vec<Output>,
    /// On its way to the switch.
    wire: VecDeque<(u32, Bytes)>,
    /// Call records that came out complete.
    records: u64,
}

/// All of it: `calls`, ten or more, are set up and cleared, after every phone has registered.
pub fn run(calls: u32) -> Result<Vec<Figure>> {
    ensure!(calls >= 10, "too few calls to tell anything");
    let mut figures = Vec::new();
    let mut world = World::new();
    let empty = counted().live_bytes;
    world.meter.restart();
    for phone in 0..EXTENSIONS {
        world.register(phone);
        world.pass(Duration::from_millis(1));
    }
    ensure!(
        world.switch.registrations().len() == EXTENSIONS as usize,
        "phones are not registered"
    );
    figures.push(
        figure(
            &format!("switch: {EXTENSIONS} registrations with digest, each"),
            world.each(EXTENSIONS.into()),
        )
        .against("with the process: 60 µs promised"),
    );
    figures.push(figure(
        "  as many each second on one core",
        world.rate(EXTENSIONS.into()),
    ));
    world.pass(LINGER);
    figures.push(figure(
        "  memory for each, when its transactions are over",
        kb(counted().live_bytes - empty, EXTENSIONS),
    ));

    // A first run of more than a transaction's life, so that tables have their size.
    world.calls(WARM);
    world.pass(LINGER);
    world.meter.restart();
    world.phones.messages = 0;
    let before = counted().live_bytes;
    let mut best = f64::INFINITY;
    for tenth in 1..=10 {
        let part = calls * tenth / 10 - calls * (tenth - 1) / 10;
        let spent = world.meter.spent;
        world.calls(part);
        let took = world.meter.spent - spent;
        best = best.min(took.as_nanos() as f64 / 1000.0 / f64::from(part));
    }
    let busy = counted().live_bytes - empty;
    ensure!(
        world.phones.answered == u64::from(WARM + calls) && world.records > 0,
        "{} calls answered, {} refused",
        world.phones.answered,
        world.phones.refused
    );
    figures.push(
        figure(
            &format!("switch: {calls} calls at 250/s, digest caller to registered callee, each"),
            world.each(calls.into()),
        )
        .against("with the process: 500 µs promised"),
    );
    figures.push(figure(
        "  the tenth of them that was disturbed least, each",
        format!("{best:.0} µs"),
    ));
    figures.push(figure(
        "  as many each second on one core",
        world.rate(calls.into()),
    ));
    figures.push(figure(
        "  messages in and out for each",
        format!("{:.1}", world.phones.messages as f64 / f64::from(calls)),
    ));
    figures.push(
        figure(
            "  memory of all while they come: calls, and 32 s of transactions",
            format!("{:.1} MB", busy as f64 / f64::from(1 << 20)),
        )
        .against("with the process: 100 MB promised"),
    );
    world.pass(LINGER);
    ensure!(world.switch.is_idle(), "something is left of the calls");
    figures.push(figure(
        "  memory left behind by all of them",
        format!("{} bytes", counted().live_bytes - before),
    ));
    figures.push(figure(
        "  memory for each call that is up",
        held(&mut world)?,
    ));
    Ok(figures)
}

/// Memory of calls that are up, their transactions over.
fn held(world: &mut World) -> Result<String> {
    let before = counted().live_bytes;
    world.phones.hold = true;
    world.calls(HELD);
    world.pass(LINGER);
    ensure!(
        world.switch.calls().len() == HELD as usize,
        "calls are missing"
    );
    Ok(kb(counted().live_bytes - before, HELD))
}

impl World {
    fn new() -> Self {
        let now = Instant::from_millis(1000);
        let mut configuration = Configuration::initial();
        configuration.extensions = (0..EXTENSIONS)
            .map(|index| Extension {
                id: ExtensionId::new(index + 1),
                number: number(index)
                    .parse()
                    .unwrap_or_else(|_| unreachable!("digits")),
                description: String::new(),
                user: None,
                caller_name: None,
                caller_id: CallerId::Own,
                enabled: true,
                sip_username: number(index),
                sip_password: Secret::new(PASSWORD),
                codecs: vec![Codec::Pcma, Codec::Pcmu],
                srtp: SrtpPolicy::Off,
                permission_group: None,
            })
            .collect();
        let switch = Switch::new(
            now,
            SwitchConfig {
                configuration: Arc::new(configuration),
                wall: WallTime::from_unix_seconds(1_800_000_000),
                seed: [7; 32],
                first_call: CallId::new(1),
                rtp_ports: (0..2000).map(|index| 20_000 + 2 * index).collect(),
                streams: sip::endpoint::STREAMS,
                bindings: Vec::new(),
                dialogs: Vec::new(),
                product: "Operator Box".into(),
            },
        );
        Self {
            switch,
            now,
            phones: Phones::default(),
            meter: Meter::new(),
            outputs: Vec::with_capacity(64),
            wire: VecDeque::with_capacity(64),
            records: 0,
        }
    }

    fn each(&self, count: u64) -> String {
        format!(
            "{:.0} µs, {:.0} allocations",
            self.meter.each_ns(count) / 1000.0,
            self.meter.each_allocations(count)
        )
    }

    fn rate(&self, count: u64) -> String {
        format!("{:.0}", 1e9 / self.meter.each_ns(count))
    }

    fn register(&mut self, phone: u32) {
        let text = self.phones.register(phone);
        self.send(phone, text);
    }

    fn calls(&mut self, count: u32) {
        let half = EXTENSIONS / 2;
        for index in 0..count {
            let caller = index % half;
            let text = self.phones.call(caller, half + caller);
            self.send(caller, text);
            self.pass(Duration::from_millis(2));
            if !self.phones.hold {
                let text = self.phones.clear(caller);
                self.send(caller, text);
            }
            self.pass(Duration::from_millis(2));
        }
    }

    /// A phone sends something; all that follows happens.
    fn send(&mut self, phone: u32, text: String) {
        self.wire.push_back((phone, text.into()));
        while let Some((phone, bytes)) = self.wire.pop_front() {
            let flow = Flow {
                transport: Transport::Udp,
                local: exchange(),
                remote: address(phone),
            };
            self.phones.messages += 1;
            self.input(Input::Sip(sip::endpoint::Input::Datagram { flow, bytes }));
            self.carry_out();
        }
    }

    /// Time passes, and every timer goes off at its moment.
    fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(next) = self.switch.poll_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.input(Input::Timeout);
            self.carry_out();
        }
        self.now = until;
    }

    /// What is measured: the switch takes an input and gives its outputs.
    fn input(&mut self, input: Input) {
        let Self {
            switch,
            now,
            meter,
            outputs,
            ..
        } = self;
        meter.run(|| {
            switch.handle_input(*now, input);
            while let Some(output) = switch.poll_output() {
                outputs.push(output);
            }
        });
    }

    fn carry_out(&mut self) {
        let mut closed = Vec::new();
        for output in self.outputs.drain(..) {
            match output {
                Output::Transmit { flow, bytes } => {
                    self.phones.messages += 1;
                    self.phones.receive(flow.remote, &bytes, &mut self.wire);
                }
                Output::Media(media::Command::Close { port }) => closed.push(port),
                Output::CallClosed(_) => self.records += 1,
                _ => {}
            }
        }
        for port in closed {
            let quality = Quality::default();
            self.input(Input::Media(media::Event::Closed { port, quality }));
            self.carry_out();
        }
    }
}

fn kb(bytes: i64, count: u32) -> String {
    format!("{:.2} kB", bytes as f64 / f64::from(count) / 1024.0)
}
