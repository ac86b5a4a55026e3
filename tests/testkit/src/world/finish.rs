//! The end of every scenario: all hang up, and nothing may be left.

use model::Disposition;

use super::{PhoneId, World};
use crate::network::Network;
use crate::phone::{Phone, State};

/// Longer than any transaction (64 × T1) and any call that nobody ends: silence takes 60 s and a little.
const ENOUGH_MS: u64 = 300_000;
/// All transactions are over: two of 32 s in a row, and a little.
const TRANSACTIONS_MS: u64 = 75_000;
/// Longer than any registration.
const REGISTRATION_MS: u64 = 3_700_000;

impl World {
    /// Everybody hangs up; then no call, port, transaction or timer is left, and every call has its record.
    pub fn finish(&mut self) {
        let ids: Vec<PhoneId> = self.phones().collect();
        for id in &ids {
            for index in 0..self.phones[id.0].calls.len() {
                let now = self.now;
                if self.phones[id.0].on {
                    self.phones[id.0].hang_up(now, index);
                }
                self.flush(*id);
            }
        }
        let quiet = |world: &Self| {
            let phones = || {
                world
                    .phones
                    .iter()
                    .all(|phone| !phone.on || phone.is_idle())
            };
            // A phone that misbehaves may ring for ever.
            world.exchange.switch.is_idle() && (world.forgiving || phones())
        };
        if !self.run_until(quiet, ENOUGH_MS) {
            let busy: Vec<String> = (self.phones.iter())
                .filter(|phone| phone.on && !phone.is_idle())
                .map(|phone| {
                    let states = phone.calls.iter().map(|call| call.state);
                    let live: Vec<_> = states
                        .filter(|state| !matches!(state, State::Over(_)))
                        .collect();
                    format!("{} {live:?}", phone.name)
                })
                .collect();
            self.broken(&format!(
                "not all is over: calls {:?}, {} ports, busy phones {busy:?}",
                self.calls(),
                self.ports_in_use()
            ));
        }
        self.run_for(TRANSACTIONS_MS);
        self.check_nothing_left();
        self.check_records();
        self.check_complaints();
        self.finished = true;
    }

    fn check_nothing_left(&mut self) {
        let idle = self.exchange.switch.is_idle();
        if !idle
            || !self.calls().is_empty()
            || self.ports_in_use() > 0
            || self.exchange.has_open_ports()
        {
            self.broken(&format!(
                "something is left: calls {:?}, {} ports",
                self.calls(),
                self.ports_in_use()
            ));
        }
        if self.stopped {
            return;
        }
        // Without registrations, nothing at all is to be waited for.
        self.set_all_networks(Network::quiet());
        self.icmp = false;
        self.load(0);
        for id in self.phones().collect::<Vec<_>>() {
            let phone = &mut self.phones[id.0];
            phone.profile.quirks = crate::phone::Quirks::default();
            if phone.on && phone.registering.is_registered() {
                self.unregister(id);
            } else {
                phone.registering.refresh_at = None;
                self.flush(id);
            }
        }
        self.run_for(TRANSACTIONS_MS);
        self.run_until(|world| world.registrations().is_empty(), REGISTRATION_MS);
        self.run_for(TRANSACTIONS_MS);
        if !self.registrations().is_empty() {
            self.broken(&format!(
                "registrations are left: {:?}",
                self.registrations()
            ));
        }
        if !self.journal.is_empty() {
            self.broken(&format!("the journal keeps {:?}", self.journal));
        }
        if let Some(at) = self.exchange.timeout() {
            self.broken(&format!("a timer is left for {} ms", at.as_millis()));
        }
    }

    fn check_records(&self) {
        for call in &self.opened {
            let Some(records) = self.closed.get(call) else {
                self.broken(&format!("call {call} has no record"));
            };
            if records.len() > 2 {
                self.broken(&format!("call {call} has {} records", records.len()));
            }
            let (first, last) = (&records[0], &records[records.len() - 1]);
            let same = (first.disposition, first.cause, first.ended, first.answered)
                == (last.disposition, last.cause, last.ended, last.answered);
            if !same {
                self.broken(&format!(
                    "the records of call {call} differ: {first:?} {last:?}"
                ));
            }
            if last.ended < last.started || last.answered.is_some_and(|at| at < last.started) {
                self.broken(&format!(
                    "the times of call {call} are in disorder: {last:?}"
                ));
            }
            let answered = last.disposition == Disposition::Answered;
            if answered != last.answered.is_some() {
                self.broken(&format!(
                    "call {call}: {:?} and {:?}",
                    last.disposition, last.answered
                ));
            }
        }
        if self.closed.len() != self.opened.len() {
            self.broken("there are more records than calls");
        }
    }

    fn check_complaints(&self) {
        if self.forgiving {
            return;
        }
        for phone in &self.phones {
            if let Some(complaint) = phone.complaints.first() {
                self.broken(&format!("{} complains: {complaint}", phone.name));
            }
            if phone.out_of_order > 0 && !self.rough {
                self.broken(&format!("{} got requests out of order", phone.name));
            }
            self.check_streams(phone);
        }
    }

    /// A party hears one stream of ours in one call, whatever it is made of.
    fn check_streams(&self, phone: &Phone) {
        for call in &phone.calls {
            let sources = call.sound.counts.sources.len();
            if sources > 1 {
                self.broken(&format!(
                    "{} heard {sources} sources in one call",
                    phone.name
                ));
            }
        }
    }
}
