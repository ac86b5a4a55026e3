//! What rings by the rules of a user: phones and numbers outside, each in its time, and one answer.
//!
//! ```text
//!   waiting ──► its time has come, or nothing rings ──► ringing ──► over: refused, or its time is up
//!                                                         │ a network refuses or is silent: the next way
//!   one answers ─────────────────────► the others: CANCEL, "completed elsewhere"; done
//!   6xx of a phone of the user's ────► the others: CANCEL; failed
//!   all are over ────────────────────► failed, with the best refusal
//! ```

use core::time::Duration;

use model::{CallId, Cause, Instant, LegId};

use super::Exchange;
use crate::call::{MAX_RINGING, Phase};
use crate::leg::{Failure, LegState, SILENT_FOR};
use crate::route::{Ringer, Rules, Who};

/// How far those are who ring together.
#[derive(Debug)]
pub(crate) struct Hunt {
    branches: Vec<Branch>,
    began: Instant,
    until: Instant,
    /// The best refusal so far.
    failed: Option<Failure>,
}

#[derive(Debug)]
struct Branch {
    ringer: Ringer,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting,
    Ringing {
        legs: Vec<LegId>,
        until: Option<Instant>,
        /// Which way outside it goes.
        way: usize,
        /// When a way of which nothing has come is left.
        silent: Option<Instant>,
    },
    Over,
}

impl Hunt {
    /// `limit`: until nobody has answered.
    pub(crate) fn new(now: Instant, rules: &Rules, limit: Duration) -> Self {
        let branches = rules.rings.iter().map(|ringer| Branch {
            ringer: ringer.clone(),
            state: State::Waiting,
        });
        Self {
            branches: branches.collect(),
            began: now,
            until: now + rules.limit.unwrap_or(limit),
            failed: None,
        }
    }

    /// Whose turn it is: that whose time has come, or the next where nothing rings.
    fn due(&self, now: Instant) -> Option<usize> {
        let rings = |branch: &Branch| matches!(branch.state, State::Ringing { .. });
        let idle = !self.branches.iter().any(rings);
        let waiting = (self.branches.iter().enumerate())
            .filter(|(_, branch)| matches!(branch.state, State::Waiting));
        waiting
            .min_by_key(|(_, branch)| branch.ringer.after)
            .filter(|(_, branch)| idle || self.began + branch.ringer.after <= now)
            .map(|(index, _)| index)
    }

    /// When something is to be done, whatever the parties do.
    fn timeout(&self) -> Instant {
        let times = self.branches.iter().flat_map(|branch| match &branch.state {
            State::Waiting => [Some(self.began + branch.ringer.after), None],
            State::Ringing { until, silent, .. } => [*until, *silent],
            State::Over => [None, None],
        });
        times.flatten().min().unwrap_or(self.until).min(self.until)
    }

    fn failed(&mut self, failure: Failure) {
        self.failed = Some(match self.failed {
            Some(before) => before.or_better(failure),
            None => failure,
        });
    }
}

impl Exchange {
    /// How the ringing stands: none while it goes on, else who answered, or why nobody did.
    pub(crate) fn look_at_hunt(
        &mut self,
        call: CallId,
        hunt: &mut Hunt,
    ) -> Option<Result<LegId, Failure>> {
        self.give_up_silent(call);
        if let Some(leg) = self.taken(call) {
            return Some(Ok(leg));
        }
        if hunt.until <= self.now {
            let rang = (self.calls.get(&call)).is_some_and(|call| call.phase >= Phase::Ringing);
            return Some(Err(if rang {
                Failure::no_answer()
            } else {
                Failure::of_cause(Cause::NO_USER_RESPONDING)
            }));
        }
        for index in 0..hunt.branches.len() {
            if let Some(failure) = self.look_at_branch(call, hunt, index) {
                return Some(Err(failure));
            }
        }
        while let Some(index) = hunt.due(self.now) {
            self.begin_branch(call, hunt, index, 0);
        }
        if hunt.branches.iter().all(|b| matches!(b.state, State::Over)) {
            let absent = Failure::of_cause(Cause::SUBSCRIBER_ABSENT);
            return Some(Err(hunt.failed.unwrap_or(absent)));
        }
        self.wakes.wake_at(call, hunt.timeout());
        let ringing = (self.calls.get(&call)).map_or(Vec::new(), |state| state.ringing.clone());
        self.tell_caller(call, &ringing);
        None
    }

    /// Looks at one that rings; a failure where it speaks for all.
    fn look_at_branch(&mut self, call: CallId, hunt: &mut Hunt, index: usize) -> Option<Failure> {
        let branch = hunt.branches.get_mut(index)?;
        let State::Ringing {
            legs,
            until,
            way,
            silent,
        } = &mut branch.state
        else {
            return None;
        };
        let (way, until, legs_now) = (*way, *until, legs.clone());
        let failures: Vec<Failure> = (legs_now.iter())
            .filter_map(|id| match self.legs.get(*id).map(|leg| leg.state) {
                Some(LegState::Failed(failure)) => Some(failure),
                _ => None,
            })
            .collect();
        let best = failures.iter().copied().reduce(Failure::or_better);
        let outside = matches!(branch.ringer.who, Who::Outside(_));
        if let Some(best) = best
            .filter(|best| best.status.class() == 6 && !outside || failures.len() == legs_now.len())
        {
            let for_all = best.status.class() == 6 && branch.ringer.own && !outside;
            self.end_branch(call, &legs_now);
            let failure = if outside {
                best.past_network()
            } else {
                best.towards_caller()
            };
            if for_all {
                return Some(failure);
            }
            if outside && best.is_of_network() {
                self.begin_branch(call, hunt, index, way + 1);
            } else {
                branch.state = State::Over;
            }
            hunt.failed(failure);
            return None;
        }
        if silent.is_some_and(|silent| silent <= self.now) {
            *silent = None;
            let heard = legs_now.iter().any(|id| {
                (self.legs.get(*id))
                    .is_some_and(|leg| leg.rang || self.endpoint.is_heard_of(leg.session))
            });
            if !heard {
                if let Who::Outside(attempts) = &branch.ringer.who
                    && let Some(attempt) = attempts.get(way)
                {
                    self.was_silent(attempt.interface);
                }
                self.end_branch(call, &legs_now);
                self.begin_branch(call, hunt, index, way + 1);
                hunt.failed(Failure::of_cause(Cause::RECOVERY_ON_TIMER_EXPIRY).past_network());
                return None;
            }
        }
        if until.is_some_and(|until| until <= self.now) {
            self.end_branch(call, &legs_now);
            branch.state = State::Over;
            hunt.failed(Failure::no_answer());
        }
        None
    }

    /// Begins to ring one, by this way or the next that can be gone.
    fn begin_branch(&mut self, call: CallId, hunt: &mut Hunt, index: usize, mut way: usize) {
        let Some(branch) = hunt.branches.get_mut(index) else {
            return;
        };
        // The time that it rings for counts on, by whatever way.
        let until = match &branch.state {
            State::Ringing { until, .. } => *until,
            State::Waiting | State::Over => branch.ringer.limit.map(|limit| self.now + limit),
        };
        branch.state = State::Over;
        let (called, before) = match self.calls.get(&call) {
            Some(state) => (state.called.clone(), state.ringing.len()),
            None => return,
        };
        if before >= MAX_RINGING {
            hunt.failed(Failure::congestion(Cause::SWITCHING_EQUIPMENT_CONGESTION));
            return;
        }
        let (begun, silent) = match &branch.ringer.who {
            Who::Phones(extension) => (self.start_ringing(call, *extension), None),
            Who::Outside(attempts) => {
                let mut begun = Err(Failure::of_cause(Cause::NETWORK_OUT_OF_ORDER));
                while let Some(attempt) = attempts.get(way) {
                    begun = self.start_leaving(call, attempt);
                    if begun.is_ok() {
                        break;
                    }
                    way += 1;
                }
                (begun, Some(self.now + SILENT_FOR))
            }
        };
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        // Whom the number stands for, until somebody has answered.
        state.called = called;
        let legs: Vec<LegId> = state.ringing.iter().skip(before).copied().collect();
        match begun {
            Ok(()) if !legs.is_empty() => {
                branch.state = State::Ringing {
                    legs,
                    until,
                    way,
                    silent,
                };
            }
            Ok(()) => hunt.failed(Failure::of_cause(Cause::SUBSCRIBER_ABSENT)),
            Err(failure) => hunt.failed(failure.past_network()),
        }
    }

    /// Those ring no more; others may.
    fn end_branch(&mut self, call: CallId, legs: &[LegId]) {
        let Some(state) = self.calls.get_mut(&call) else {
            return;
        };
        state.ringing.retain(|id| !legs.contains(id));
        if state.early.is_some_and(|early| legs.contains(&early)) {
            state.early = None;
            self.early_sound_gone(call);
        }
        for leg in legs {
            self.end_leg(*leg, None, None);
        }
    }
}
