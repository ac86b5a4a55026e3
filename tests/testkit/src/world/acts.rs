//! What people, phones and administrators do.

use core::net::IpAddr;

use model::config::Configuration;
use model::{CallId, ConfigVersion, ExtensionId};
use rsip::Method;
use std::sync::Arc;

use super::exchange::Exchange;
use super::{Line, PhoneId, World};
use crate::network::Network;
use crate::phone::sdp::Direction;
use crate::phone::{Keys, Phone, Profile};

impl World {
    /// Changes what a phone is like.
    pub fn set(&mut self, phone: PhoneId, change: impl FnOnce(&mut Profile)) {
        change(&mut self.phones[phone.0].profile);
    }

    /// Changes what every phone is like.
    pub fn set_all(&mut self, change: impl Fn(&mut Profile)) {
        for phone in &mut self.phones {
            change(&mut phone.profile);
        }
    }

    fn act(&mut self, phone: PhoneId, act: impl FnOnce(&mut Phone, model::Instant)) {
        let now = self.now;
        if self.phones[phone.0].on {
            act(&mut self.phones[phone.0], now);
        }
        self.flush(phone);
    }

    fn act_on(
        &mut self,
        line: impl Into<Line>,
        act: impl FnOnce(&mut Phone, model::Instant, usize),
    ) {
        let line = line.into();
        let index = self.index(line);
        self.act(line.phone, |phone, now| act(phone, now, index));
    }

    pub(super) fn index(&self, line: Line) -> usize {
        let phone = &self.phones[line.phone.0];
        let Some(index) = line.index.or_else(|| phone.current()) else {
            self.broken(&format!("{} has no call", phone.name));
        };
        index
    }

    /// A phone registers, or refreshes.
    pub fn register(&mut self, phone: PhoneId) {
        self.act(phone, Phone::register);
    }

    /// A phone takes its contact away.
    pub fn unregister(&mut self, phone: PhoneId) {
        self.act(phone, Phone::unregister);
    }

    /// A phone takes all contacts of its extension away.
    pub fn unregister_all(&mut self, phone: PhoneId) {
        self.act(phone, Phone::unregister_all);
    }

    /// A phone sends a REGISTER with exactly these header fields.
    pub fn register_with(&mut self, phone: PhoneId, headers: &[(&str, &str)]) {
        let headers = owned(headers);
        self.act(phone, |phone, now| phone.send_register(now, headers));
    }

    /// A phone calls a number.
    pub fn dial(&mut self, phone: PhoneId, number: &str) -> Line {
        self.dial_with(phone, number, &[])
    }

    /// A phone calls a number, with further header fields in the INVITE.
    pub fn dial_with(&mut self, phone: PhoneId, number: &str, headers: &[(&str, &str)]) -> Line {
        let mut index = None;
        let headers = owned(headers);
        self.act(phone, |phone, now| {
            index = Some(phone.dial(now, number, headers));
        });
        Line { phone, index }
    }

    /// Two phones talk: one dials the other, which answers. Both lines, the caller's first.
    pub fn talk(&mut self, a: PhoneId, b: PhoneId) -> (Line, Line) {
        let number = self.phones[b.0].profile.number.clone();
        let before = self.phones[b.0].calls.len();
        let line = self.dial(a, &number);
        let rang = self.run_until(|world| world.phones[b.0].calls.len() > before, 60_000);
        assert!(rang, "{number} never rang");
        let other = Line {
            phone: b,
            index: Some(before),
        };
        self.run_for(50);
        self.answer(other);
        let up = self.run_until(
            |world| world.is_talking(line) && world.is_talking(other),
            60_000,
        );
        assert!(up, "{number} answered, but nobody talks");
        (line, other)
    }

    /// The handset is lifted.
    pub fn answer(&mut self, line: impl Into<Line>) {
        self.act_on(line, |phone, now, index| phone.answer(now, index));
    }

    /// A ringing call is refused.
    pub fn refuse(&mut self, line: impl Into<Line>, status: u16) {
        self.act_on(line, |phone, now, index| phone.refuse(now, index, status));
    }

    /// A ringing phone says so: again, or otherwise than at first.
    pub fn ring(&mut self, line: impl Into<Line>, status: u16, sound: bool) {
        self.act_on(line, |phone, now, index| {
            phone.ring(now, index, status, sound);
        });
    }

    /// The handset is put down: CANCEL, BYE or a refusal.
    pub fn hang_up(&mut self, line: impl Into<Line>) {
        self.act_on(line, |phone, now, index| phone.hang_up(now, index));
    }

    /// Puts the other party on hold.
    pub fn hold(&mut self, line: impl Into<Line>) {
        self.offer(line, Direction::SendOnly);
    }

    /// Takes the other party back.
    pub fn resume(&mut self, line: impl Into<Line>) {
        self.offer(line, Direction::SendRecv);
    }

    /// Makes a new offer.
    pub fn offer(&mut self, line: impl Into<Line>, direction: Direction) {
        self.act_on(line, |phone, now, index| phone.offer(now, index, direction));
    }

    /// A phone comes into another network, behind this address, and does not tell anybody yet.
    pub fn roam(&mut self, phone: PhoneId, public: [u8; 4]) {
        let name = &self.phones[phone.0].name;
        let public = IpAddr::from(public);
        self.tape
            .note(self.now, format!("{name} is at {public} now"));
        self.outside.retain(|_, id| *id != phone);
        self.outside.insert(public, phone);
        let place = &mut self.places[phone.0];
        place.nat = Some(public);
        place.holes.clear();
        place.stream = None;
    }

    /// A phone moves its sound to another port, and says so.
    pub fn move_media(&mut self, line: impl Into<Line>) {
        self.act_on(line, Phone::move_media);
    }

    /// Presses keys.
    pub fn press(&mut self, line: impl Into<Line>, digits: &str, keys: Keys) {
        let line = line.into();
        for digit in digits.chars() {
            self.act_on(line, |phone, now, index| {
                phone.press(now, index, digit, keys);
            });
        }
    }

    /// Sends the other party to a number.
    pub fn transfer(&mut self, line: impl Into<Line>, number: &str) {
        self.act_on(line, |phone, now, index| phone.transfer(now, index, number));
    }

    /// Joins the other party of `line` with that of `other`, a call of the same phone.
    pub fn transfer_to(&mut self, line: impl Into<Line>, other: Line) {
        let other = self.index(other);
        self.act_on(line, |phone, now, index| {
            phone.transfer_to(now, index, other);
        });
    }

    /// REFER with this Refer-To.
    pub fn refer(&mut self, line: impl Into<Line>, to: &str) {
        let to = to.to_owned();
        self.act_on(line, |phone, now, index| phone.refer(now, index, to));
    }

    /// A phone takes over the call that another phone has with the exchange (RFC 3891).
    pub fn take_over(&mut self, phone: PhoneId, of: Line) -> Line {
        let replaces = self.replaces(of);
        let number = self.phones[of.phone.0].profile.number.clone();
        self.dial_with(
            phone,
            &number,
            &[("Replaces", &replaces), ("Require", "replaces")],
        )
    }

    /// The Replaces value that names the exchange's dialog of a line.
    #[must_use]
    pub fn replaces(&self, of: Line) -> String {
        self.phones[of.phone.0].replaces(self.index(of), false)
    }

    /// Any request in a dialog.
    pub fn request(
        &mut self,
        line: impl Into<Line>,
        method: Method,
        headers: &[(&str, &str)],
        body: Option<(&'static str, &str)>,
    ) {
        let headers = owned(headers);
        let body = body.map(|(kind, text)| (kind, text.to_owned()));
        self.act_on(line, |phone, now, index| {
            phone.odd_request(now, index, method, headers, body);
        });
    }

    /// OPTIONS to the exchange.
    pub fn options(&mut self, phone: PhoneId) {
        self.act(phone, Phone::options);
    }

    /// Octets from a phone that need not be a message.
    pub fn send_raw(&mut self, phone: PhoneId, octets: &[u8]) {
        self.act(phone, |phone, _| phone.send_raw(octets));
    }

    /// A phone sends no sound any more, or does again.
    pub fn silence(&mut self, phone: PhoneId, silent: bool) {
        self.phones[phone.0].silence(silent);
    }

    /// The power of a phone goes: it says nothing any more and forgets everything.
    pub fn power_off(&mut self, phone: PhoneId) {
        self.tape.note(
            self.now,
            format!("{} loses power", self.phones[phone.0].name),
        );
        self.phones[phone.0].power_off();
        self.flush(phone);
        self.places[phone.0].stream = None;
    }

    /// The power is back; the phone registers anew, from this port.
    pub fn power_on(&mut self, phone: PhoneId, port: u16) {
        self.tape
            .note(self.now, format!("{} is back", self.phones[phone.0].name));
        self.phones[phone.0].power_on(self.now, port);
        self.flush(phone);
    }

    /// Another network for a phone.
    pub fn set_network(&mut self, phone: PhoneId, network: Network) {
        self.places[phone.0].network = network;
        self.rough |= network != Network::quiet();
    }

    /// Another network for all phones.
    pub fn set_all_networks(&mut self, network: Network) {
        for place in &mut self.places {
            place.network = network;
        }
        self.rough |= network != Network::quiet();
    }

    /// Cuts a phone off, or joins it again.
    pub fn cut(&mut self, phone: PhoneId, cut: bool) {
        let place = &mut self.places[phone.0];
        place.network = place.network.each(|link| link.cut = cut);
    }

    /// The number's extension.
    #[must_use]
    pub fn extension(&self, number: &str) -> Option<ExtensionId> {
        let extensions = &self.configuration.extensions;
        extensions
            .iter()
            .find(|one| one.number.as_str() == number)
            .map(|one| one.id)
    }

    /// An administrator changes the configuration.
    pub fn configure(&mut self, change: impl FnOnce(&mut Configuration)) {
        change(&mut self.configuration);
        let version = self.configuration.version.raw() + 1;
        self.configuration.version = ConfigVersion::new(version);
        let faults = self.configuration.check();
        assert!(faults.is_empty(), "{faults:?}");
        self.tell(pbx::Input::Configure(Arc::new(self.configuration.clone())));
    }

    /// An administrator ends a call.
    pub fn hang_up_call(&mut self, call: CallId) {
        self.tell(pbx::Input::HangUp {
            call,
            by: "Admin".into(),
        });
    }

    /// The shell measured how long datagrams wait.
    pub fn load(&mut self, queue_delay_us: u64) {
        self.tell(pbx::Input::Load(pbx::Load { queue_delay_us }));
    }

    /// Such a delay, reported every 10 ms for so long.
    pub fn load_for(&mut self, queue_delay_us: u64, ms: u64) {
        for _ in 0..ms / 10 {
            self.load(queue_delay_us);
            self.run_for(10);
        }
    }

    /// Someone watches the calls, or nobody any more.
    pub fn watch(&mut self, watched: bool) {
        self.tell(pbx::Input::Watch(watched));
    }

    /// Civil time was set.
    pub fn set_clock(&mut self, wall: model::WallTime) {
        self.tell(pbx::Input::Clock(wall));
    }

    /// The process is told to stop.
    pub fn shut_down(&mut self) {
        self.stopped = true;
        self.tell(pbx::Input::Shutdown);
    }

    /// The process is killed, or ends where it was told to stop, and starts again with what the journal
    /// holds.
    pub fn restart(&mut self) {
        self.tape
            .note(self.now, "the exchange ends and starts again");
        let left = if self.stopped {
            self.exchange.switch.unended_dialogs()
        } else {
            Vec::new()
        };
        let bindings = self.journal.values().cloned().collect();
        let next = self.opened.iter().map(|call| call.raw()).max().unwrap_or(0) + 1;
        for call in self.opened.drain(..) {
            // What began and never ended is in the journal as interrupted.
            self.closed.remove(&call);
        }
        let dialogs = (core::mem::take(&mut self.under_way).into_values())
            .flat_map(|call| call.dialogs)
            .chain(left)
            .collect();
        let seed = self.chance.bytes();
        let ports = self.exchange.ports;
        self.exchange = Exchange::new(
            self.now,
            self.configuration.clone(),
            seed,
            ports,
            (bindings, dialogs),
            next,
        );
        self.stopped = false;
        for place in &mut self.places {
            place.stream = None;
        }
        self.carry_out();
    }
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
