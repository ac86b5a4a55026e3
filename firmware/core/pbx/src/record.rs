//! Call records: written at once when a call ends, and again when its quality has been measured.
//!
//! The first copy comes out before anything that tells a party of the end, so that no call whose
//! end was acknowledged is missing from the history. The media thread tells a little later what it
//! measured; then the record comes out again under the same call id, complete.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use model::{CallId, CallRecord, Instant, LegRecord, LegSide, Party, PortId, Quality};

use crate::leg::Leg;

/// How long a record waits for what was measured: the media thread answers within its tick of
/// 20 ms; after this long it never will.
const WAIT: Duration = Duration::from_secs(1);

/// What the record says of a leg, and the port that is still to be measured.
#[derive(Clone, Debug)]
pub(crate) struct KeptLeg {
    /// Who was on it, and how.
    pub(crate) record: LegRecord,
    /// Where its quality comes from.
    pub(crate) port: Option<PortId>,
}

impl KeptLeg {
    /// A party outside that was called by this interface and did not answer.
    pub(crate) const fn tried(party: Party, interface: String, address: String) -> Self {
        Self {
            record: LegRecord {
                side: LegSide::Called,
                party,
                address: Some(address),
                user_agent: None,
                interface: Some(interface),
                codec: None,
                encrypted: false,
                quality: None,
                stopped_responding: false,
            },
            port: None,
        }
    }

    /// A leg as it stands. `port`: where the media thread will measure it, if it had any sound.
    pub(crate) fn new(side: LegSide, leg: &Leg, port: Option<PortId>) -> Self {
        Self {
            record: LegRecord {
                side,
                party: leg.party.clone(),
                address: Some(leg.flow.remote.to_string()),
                user_agent: leg.user_agent.clone(),
                interface: leg.interface.as_deref().map(str::to_owned),
                codec: leg.codec(),
                encrypted: leg.was_encrypted(),
                quality: leg.quality,
                stopped_responding: leg.lost,
            },
            port,
        }
    }
}

#[derive(Debug)]
struct Waiting {
    record: CallRecord,
    /// Port and index among the legs.
    ports: Vec<(PortId, usize)>,
    until: Instant,
}

/// Records that wait for their quality.
#[derive(Debug, Default)]
pub(crate) struct Records {
    waiting: BTreeMap<CallId, Waiting>,
    by_port: BTreeMap<PortId, BTreeSet<CallId>>,
    timers: BTreeSet<(Instant, CallId)>,
}

impl Records {
    /// A call is over: returns its record as far as it is known. `legs` belong to it, the caller's
    /// first.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        mut record: CallRecord,
        legs: Vec<KeptLeg>,
    ) -> CallRecord {
        let call = record.call;
        let ports: Vec<(PortId, usize)> = legs
            .iter()
            .enumerate()
            .filter_map(|(index, leg)| Some((leg.port?, index)))
            .collect();
        record.legs = legs.into_iter().map(|leg| leg.record).collect();
        if !ports.is_empty() {
            for (port, _) in &ports {
                self.by_port.entry(*port).or_default().insert(call);
            }
            let until = now + WAIT;
            self.timers.insert((until, call));
            let waiting = Waiting {
                record: record.clone(),
                ports,
                until,
            };
            self.waiting.insert(call, waiting);
        }
        record
    }

    /// A port was measured: returns the records that are complete now.
    pub(crate) fn measured(&mut self, port: PortId, quality: Quality) -> Vec<CallRecord> {
        let calls = self.by_port.remove(&port).unwrap_or_default();
        let mut complete = Vec::new();
        for call in calls {
            let Some(waiting) = self.waiting.get_mut(&call) else {
                continue;
            };
            for (_, index) in waiting.ports.iter().filter(|(waited, _)| *waited == port) {
                if let Some(leg) = waiting.record.legs.get_mut(*index) {
                    leg.quality = Some(quality);
                }
            }
            waiting.ports.retain(|(waited, _)| *waited != port);
            if waiting.ports.is_empty() {
                complete.extend(self.take(call));
            }
        }
        complete
    }

    /// Gives up waiting where it has lasted too long; returns what came meanwhile.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<CallRecord> {
        let mut late = Vec::new();
        while let Some(&(until, call)) = self.timers.first() {
            if until > now {
                break;
            }
            late.extend(self.take(call));
        }
        // Without any new number the record is out already.
        late.retain(|record: &CallRecord| record.legs.iter().any(|leg| leg.quality.is_some()));
        late
    }

    /// When waiting ends.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(until, _)| *until)
    }

    fn take(&mut self, call: CallId) -> Option<CallRecord> {
        let waiting = self.waiting.remove(&call)?;
        self.timers.remove(&(waiting.until, call));
        for (port, _) in &waiting.ports {
            if let Some(calls) = self.by_port.get_mut(port) {
                calls.remove(&call);
                if calls.is_empty() {
                    self.by_port.remove(port);
                }
            }
        }
        Some(waiting.record)
    }
}

#[cfg(test)]
mod tests {
    use model::{Cause, Disposition, EndedBy, WallTime};

    use super::*;

    fn party(number: &str) -> Party {
        Party {
            number: number.into(),
            name: None,
            extension: None,
        }
    }

    fn record(call: u64) -> CallRecord {
        CallRecord {
            call: CallId::new(call),
            caller: party("101"),
            dialled: "102".into(),
            called: None,
            started: WallTime::default(),
            answered: None,
            ended: WallTime::default(),
            disposition: Disposition::Answered,
            cause: Cause::NORMAL_CALL_CLEARING,
            ended_by: EndedBy::Caller,
            shown_outside: None,
            forwarded_from: None,
            brake: None,
            administrator: None,
            transferred_from: None,
            legs: Vec::new(),
        }
    }

    fn leg(side: LegSide, port: Option<u16>) -> KeptLeg {
        KeptLeg {
            record: LegRecord {
                side,
                party: party("101"),
                address: None,
                user_agent: None,
                interface: None,
                codec: None,
                encrypted: false,
                quality: None,
                stopped_responding: false,
            },
            port: port.map(PortId::new),
        }
    }

    fn quality(packets_sent: u64) -> Quality {
        Quality {
            packets_sent,
            ..Quality::default()
        }
    }

    #[test]
    fn a_record_comes_again_when_both_legs_are_measured() {
        let mut records = Records::default();
        let legs = vec![leg(LegSide::Caller, Some(0)), leg(LegSide::Called, Some(1))];
        let first = records.close(Instant::ZERO, record(1), legs);
        assert!(first.legs.iter().all(|leg| leg.quality.is_none()));
        assert!(records.measured(PortId::new(0), quality(5)).is_empty());
        let again = records.measured(PortId::new(1), quality(6));
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].legs[0].quality, Some(quality(5)));
        assert_eq!(again[0].legs[1].quality, Some(quality(6)));
        assert_eq!(records.timeout(), None);
        assert!(records.by_port.is_empty());
    }

    #[test]
    fn what_is_not_measured_in_time_stays_unknown() {
        let mut records = Records::default();
        let legs = || vec![leg(LegSide::Caller, Some(0)), leg(LegSide::Called, Some(1))];
        records.close(Instant::ZERO, record(1), legs());
        records.measured(PortId::new(1), quality(6));
        assert_eq!(records.timeout(), Some(Instant::from_millis(1000)));
        assert!(records.expire(Instant::from_millis(999)).is_empty());
        let late = records.expire(Instant::from_millis(1000));
        assert_eq!(late.len(), 1);
        assert_eq!(late[0].legs[0].quality, None);
        assert_eq!(late[0].legs[1].quality, Some(quality(6)));

        records.close(Instant::ZERO, record(2), legs());
        assert!(records.expire(Instant::from_millis(1000)).is_empty());
        assert_eq!(records.timeout(), None);
        assert!(records.by_port.is_empty());
    }

    #[test]
    fn a_call_without_sound_is_complete_at_once() {
        let mut records = Records::default();
        let closed = records.close(Instant::ZERO, record(1), vec![leg(LegSide::Caller, None)]);
        assert_eq!(closed.legs.len(), 1);
        assert_eq!(records.timeout(), None);
    }

    #[test]
    fn a_port_that_goes_on_in_another_call_is_measured_for_both() {
        let mut records = Records::default();
        for call in [1, 2] {
            records.close(
                Instant::ZERO,
                record(call),
                vec![leg(LegSide::Caller, Some(7))],
            );
        }
        assert_eq!(records.measured(PortId::new(7), quality(1)).len(), 2);
    }
}
