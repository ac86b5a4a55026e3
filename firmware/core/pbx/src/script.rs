//! Call scripts: what a call does, as an `async fn` that reads like the manual.
//!
//! [`Call`] is what a script has in hand. Its operations look at the exchange each time they are
//! polled, so they may be raced against each other and dropped at any point; what they began ends
//! with them. The caller's hanging up before an answer drops the whole script, so no script has to
//! think of it.
//!
//! The scripts: [`dial`] (a dialled number, from ringing to hanging up), [`keep_ringing`] and
//! [`converse`] (calls that come out of transfers).

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::cell::RefCell;
use std::rc::Rc;

use model::explain::Caller;
use model::{CallId, Cause, ExtensionId, Instant, LegId, LegSide};

use crate::call::{Outcome, Phase};
use crate::decision;
use crate::exchange::{Exchange, Hunt};
use crate::executor::Script;
use crate::leg::{Failure, LegState, SILENT_FOR, Tone};
use crate::route::{Attempt, Destination, Rules};

/// The exchange, as the switch and its scripts share it.
pub(crate) type Shared = Rc<RefCell<Exchange>>;

/// How long the one who transferred a call has to hang up by itself (RFC 5589 §6.1 leaves it to it)
/// before the exchange does.
const TRANSFEROR_HANGS_UP: Duration = Duration::from_secs(1);

/// How long a call to the outside may take to be answered, by whatever interfaces it goes: networks clear
/// after two to three minutes of ringing by themselves.
const LEAVING: Duration = Duration::from_mins(3);

/// How long a network has to take back the line of a call that was ended, try by try.
const LINE_IS_FREE: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_secs(2),
];

/// How soon a way to help has to ring: networks take up to ten seconds.
const RINGS_SOON: Duration = Duration::from_secs(12);

/// How long a call for help may ring.
const QUEUE: Duration = Duration::from_hours(1);

/// How long a party that can't be refused any more hears why before its call ends: three to ten
/// bursts of any country's busy tone.
const REASON_HEARD: Duration = Duration::from_secs(5);

/// Which script a call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plot {
    /// A number was dialled.
    Dial,
    /// Phones ring already, for another caller than before.
    KeepRinging,
    /// Both parties are connected already.
    Converse,
}

/// The script of a call.
pub(crate) fn script(plot: Plot, call: Call) -> Script {
    match plot {
        Plot::Dial => Box::pin(dial(call)),
        Plot::KeepRinging => Box::pin(keep_ringing(call)),
        Plot::Converse => Box::pin(async move { converse(&call).await }),
    }
}

/// A number was dialled: whom does it stand for, does anybody answer, until when do they talk?
async fn dial(call: Call) {
    let for_help = call.begin_for_help();
    let mut destination = call.destination();
    let answered = loop {
        break match destination {
            Ok(Destination::Extension(extension)) => {
                call.ring(extension, call.ringing_limit()).await
            }
            Ok(Destination::User(rules)) => match call.hunt(&rules).await {
                Err(failure) => match call.goes_on(&rules, &failure) {
                    Some(next) => {
                        destination = Ok(next);
                        continue;
                    }
                    None => Err(failure),
                },
                answered => answered,
            },
            Ok(Destination::Outside(attempts)) => call.leave(&attempts).await,
            Ok(Destination::Emergency(attempts)) => call.call_for_help(&attempts).await,
            Err(failure) => Err(failure),
        };
    };
    if let (true, Err(failure)) = (for_help, &answered) {
        call.with(|exchange, id| exchange.help_is_not_reached(id, failure));
    }
    answered_or_not(&call, answered).await;
}

/// The phones of another call ring on for this one.
async fn keep_ringing(call: Call) {
    let answered = call.rings().await;
    answered_or_not(&call, answered).await;
}

async fn answered_or_not(call: &Call, answered: Result<LegId, Failure>) {
    match answered.and_then(|leg| call.bridge(leg)) {
        Ok(()) => converse(call).await,
        Err(failure) => call.fail(failure).await,
    }
}

/// Two parties talk until one hangs up, or both go on elsewhere.
async fn converse(call: &Call) {
    call.parting().await;
}

/// What a script has in hand of its call.
#[derive(Debug)]
pub(crate) struct Call {
    id: CallId,
    exchange: Shared,
}

impl Call {
    pub(crate) const fn new(id: CallId, exchange: Shared) -> Self {
        Self { id, exchange }
    }

    /// Where the dialled number leads to.
    fn destination(&self) -> Result<Destination, Failure> {
        self.with(|exchange, id| {
            let gone = Failure::of_cause(Cause::TEMPORARY_FAILURE);
            let state = exchange.calls.get(&id).ok_or(gone)?;
            let origin = state.origin.ok_or(gone)?;
            let dialled = state.dialled.clone();
            let past = state.past.clone();
            let route = exchange.route(origin, &dialled, past.clone());
            exchange.tell(id, |exchange| {
                let way = exchange.route(origin, &dialled, past).explained();
                let directory = &exchange.directory;
                Some(decision::routed(directory, id, origin, &dialled, &way))
            });
            exchange.tell_refused(origin, &dialled, &route);
            let called = route.called.and_then(|id| exchange.directory.party(id));
            let sent_on = route.is_sent_on();
            if let Some(state) = exchange.calls.get_mut(&id) {
                state.forwarded_from = called.clone().filter(|_| sent_on);
                state.called = called;
            }
            route.decision
        })
    }

    /// Rings by the rules of a user. Dropped, nothing rings any more.
    async fn hunt(&self, rules: &Rules) -> Result<LegId, Failure> {
        let limit = self.ringing_limit();
        let mut hunt = self.with(|exchange, id| {
            let called = exchange.directory.party(rules.called);
            if let Some(state) = exchange.calls.get_mut(&id) {
                state.called = called;
                let limit = rules.limit.unwrap_or(limit);
                state.rings_s = u32::try_from(limit.as_secs()).ok();
                // For who takes over what rings.
                state.ring_until = Some(exchange.now + limit);
            }
            Hunt::new(exchange.now, rules, limit)
        });
        let _ringing = Ringing(self);
        let answered = self
            .until(None, |exchange, id| exchange.look_at_hunt(id, &mut hunt))
            .await
            .unwrap_or(Err(Failure::of_cause(Cause::TEMPORARY_FAILURE)));
        if let Ok(leg) = answered {
            self.with(|exchange, id| {
                // Who picks it up was called by no rule.
                let by_rule = (exchange.legs.get(leg))
                    .is_some_and(|leg| !leg.made && leg.extension() != Some(rules.called));
                if by_rule {
                    exchange.is_sent_on(id, rules.called);
                }
            });
        }
        answered
    }

    /// Where a call goes on by the rules of a user who was not reached.
    fn goes_on(&self, rules: &Rules, failure: &Failure) -> Option<Destination> {
        let rule = rules.goes_on(failure)?;
        self.with(|exchange, id| {
            let caller = match exchange.calls.get(&id)?.origin? {
                Caller::Extension(caller) => Some(caller),
                Caller::Interface(_) => None,
            };
            let route = exchange.forward(caller, rules, rule);
            let state = exchange.calls.get(&id)?;
            if let (Some(origin), dialled) = (state.origin, state.dialled.clone()) {
                exchange.tell_refused(origin, &dialled, &route);
            }
            exchange.tell(id, |exchange| {
                let way = route.clone().explained();
                Some(decision::sent_on(&exchange.directory, id, &way))
            });
            let destination = route.decision.ok()?;
            exchange.is_sent_on(id, rules.called);
            Some(destination)
        })
    }

    /// Whether it is a call for help; an administrator is told at once then.
    fn begin_for_help(&self) -> bool {
        self.with(|exchange, id| {
            let for_help = (exchange.calls.get(&id)).is_some_and(|state| match state.origin {
                Some(Caller::Extension(caller)) => exchange.is_for_help(caller, &state.dialled),
                Some(Caller::Interface(_)) | None => false,
            });
            if for_help {
                exchange.help_is_called(id);
            }
            for_help
        })
    }

    /// How long a phone rings.
    fn ringing_limit(&self) -> Duration {
        self.with(|exchange, _| {
            let general = &exchange.directory.configuration().general;
            Duration::from_secs(general.no_answer_s.into())
        })
    }

    /// Rings all phones there, until one answers. Dropped, they ring no more.
    async fn ring(&self, extension: ExtensionId, limit: Duration) -> Result<LegId, Failure> {
        self.with(|exchange, id| {
            exchange.start_ringing(id, extension)?;
            let until = exchange.now + limit;
            if let Some(state) = exchange.calls.get_mut(&id) {
                state.ring_until = Some(until);
            }
            Ok(())
        })?;
        self.rings().await
    }

    /// Calls out, by the first interface that takes the call, until somebody answers.
    async fn leave(&self, attempts: &[Attempt]) -> Result<LegId, Failure> {
        let until = self.with(|exchange, _| exchange.now + LEAVING);
        let mut failed = Failure::of_cause(Cause::NETWORK_OUT_OF_ORDER);
        for attempt in attempts {
            match self.attempt(attempt, until, None).await {
                Err(failure) if failure.is_of_network() => failed = failure,
                Err(failure) => return Err(failure.past_network()),
                Ok(leg) => return Ok(leg),
            }
        }
        Err(failed.past_network())
    }

    /// Calls for help: by every way there is, whatever the one before said. Where a way has no line left,
    /// an ordinary call gives its own up.
    async fn call_for_help(&self, attempts: &[Attempt]) -> Result<LegId, Failure> {
        let mut failed = Failure::of_cause(Cause::NETWORK_OUT_OF_ORDER);
        let mut full = Vec::new();
        for attempt in attempts {
            match self.attempt_for_help(attempt).await {
                Ok(leg) => return Ok(leg),
                Err(failure) => failed = failure,
            }
            if failed.is_congestion() {
                let of_exchange = failed.cause == Cause::NO_CIRCUIT_AVAILABLE;
                full.push((attempt, (!of_exchange).then_some(attempt.interface)));
            }
        }
        for (attempt, whose) in full {
            if !self.with(|exchange, _| exchange.make_room(whose)) {
                continue;
            }
            // The BYE may be lost, and networks take their time.
            for wait in LINE_IS_FREE {
                let free = self.with(|exchange, _| exchange.now + wait);
                let () = (self.until(Some(free), |_, _| None).await).unwrap_or_default();
                match self.attempt_for_help(attempt).await {
                    Ok(leg) => return Ok(leg),
                    Err(failure) => failed = failure,
                }
                if !failed.is_congestion() {
                    break;
                }
            }
        }
        Err(failed.past_network())
    }

    /// Goes one way to help. One that does not ring soon is left for the next; one that rings rings on: who
    /// helps may have a queue, and who is taken out of it begins anew.
    async fn attempt_for_help(&self, attempt: &Attempt) -> Result<LegId, Failure> {
        let (soon, at_last) =
            self.with(|exchange, _| (exchange.now + RINGS_SOON, exchange.now + QUEUE));
        let mut result = self.attempt(attempt, soon, Some(at_last)).await;
        if let Err(failure) = result
            && self.with(|exchange, id| exchange.relax(id, attempt.interface, &failure))
        {
            result = self.attempt(attempt, soon, Some(at_last)).await;
            self.with(|exchange, id| {
                if let Some(state) = exchange.calls.get_mut(&id) {
                    state.relaxed = false;
                }
            });
        }
        if result.is_ok() {
            self.with(|exchange, id| exchange.help_is_reached(id, attempt.interface));
        }
        result
    }

    /// Calls out by one interface. A server that says nothing at all is given up soon.
    ///
    /// `ringing_until` is the limit of one that rings, where that is another.
    async fn attempt(
        &self,
        attempt: &Attempt,
        until: Instant,
        ringing_until: Option<Instant>,
    ) -> Result<LegId, Failure> {
        let silent = self.with(|exchange, id| {
            exchange.start_leaving(id, attempt)?;
            if let Some(state) = exchange.calls.get_mut(&id) {
                state.ring_until = Some(until);
            }
            Ok(exchange.now + SILENT_FOR)
        })?;
        let _ringing = Ringing(self);
        let soon = self.until(Some(silent), |exchange, id| exchange.look_at_ringing(id));
        if let Some(result) = soon.await {
            return result;
        }
        let heard = self.with(|exchange, id| {
            let heard = exchange.is_heard_of(id);
            if !heard {
                exchange.was_silent(attempt.interface);
            }
            heard
        });
        if !heard {
            return Err(Failure::of_cause(Cause::RECOVERY_ON_TIMER_EXPIRY));
        }
        if let Some(ringing_until) = ringing_until {
            let rings = self.until(Some(until), |exchange, id| {
                let answered = exchange.look_at_ringing(id);
                answered
                    .map(Some)
                    .or_else(|| exchange.has_rung(id).then_some(None))
            });
            match rings.await {
                Some(Some(result)) => return result,
                Some(None) => self.with(|exchange, id| {
                    if let Some(state) = exchange.calls.get_mut(&id) {
                        state.ring_until = Some(ringing_until);
                    }
                }),
                None => return Err(Failure::of_cause(Cause::NO_USER_RESPONDING)),
            }
        }
        self.rings().await
    }

    /// What rings rings on, until one answers. Dropped, it rings no more.
    async fn rings(&self) -> Result<LegId, Failure> {
        let _ringing = Ringing(self);
        let until = self.with(|exchange, id| exchange.calls.get(&id)?.ring_until);
        self.until(until, |exchange, id| exchange.look_at_ringing(id))
            .await
            .unwrap_or_else(|| Err(self.unanswered()))
    }

    /// Why the limit of ringing was reached: nobody lifted, or nothing rang at all.
    fn unanswered(&self) -> Failure {
        let rang = self.with(|exchange, id| {
            (exchange.calls.get(&id)).is_some_and(|state| state.phase >= Phase::Ringing)
        });
        if rang {
            Failure::no_answer()
        } else {
            Failure::of_cause(Cause::NO_USER_RESPONDING)
        }
    }

    /// Answers the caller, and connects it with a leg that has answered.
    fn bridge(&self, leg: LegId) -> Result<(), Failure> {
        self.with(|exchange, id| exchange.bridge(id, leg))
    }

    /// Lets the caller hear a tone for a while. Dropped, it ends.
    async fn play(&self, tone: Tone, duration: Duration) {
        let until = self.with(|exchange, id| {
            exchange.play_to_caller(id, Some(tone));
            exchange.now + duration
        });
        let _playing = Playing(self);
        self.until(Some(until), |_, _| None::<()>).await;
    }

    /// There is no answer, and why: refuses the caller. One that is answered already goes back to
    /// where it came from, or hears why.
    async fn fail(&self, failure: Failure) {
        let hears = self.with(|exchange, id| {
            let Some(state) = exchange.calls.get_mut(&id) else {
                return false;
            };
            state.settle(Outcome::failed(failure));
            let caller = state.leg(LegSide::Caller);
            let answered = caller
                .and_then(|leg| exchange.legs.get(leg))
                .is_some_and(|leg| leg.state == LegState::Answered);
            answered && !exchange.can_go_back(id)
        });
        if hears {
            let tone = if failure.cause == Cause::USER_BUSY {
                Tone::Busy
            } else {
                Tone::Congestion
            };
            self.play(tone, REASON_HEARD).await;
        }
    }

    /// Waits until a party is gone, or both have gone on elsewhere.
    async fn parting(&self) {
        let parted = |exchange: &mut Exchange, id: CallId| {
            let outcome = exchange.parted(id)?;
            exchange.calls.get_mut(&id)?.settle(outcome);
            Some(())
        };
        self.until(None, |exchange, id| {
            let handed_over =
                (exchange.calls.get(&id)).is_some_and(|state| state.handed_over.is_some());
            handed_over.then_some(()).or_else(|| parted(exchange, id))
        })
        .await;
        let until = self.with(|exchange, _| exchange.now + TRANSFEROR_HANGS_UP);
        self.until(Some(until), parted).await;
    }

    /// Waits for what `look` looks for; none where `until` came first.
    async fn until<T>(
        &self,
        until: Option<Instant>,
        mut look: impl FnMut(&mut Exchange, CallId) -> Option<T>,
    ) -> Option<T> {
        poll_fn(|_| {
            self.with(|exchange, id| {
                if let Some(found) = look(exchange, id) {
                    return Poll::Ready(Some(found));
                }
                match until {
                    Some(until) if until <= exchange.now => Poll::Ready(None),
                    Some(until) => {
                        exchange.wakes.wake_at(id, until);
                        Poll::Pending
                    }
                    None => Poll::Pending,
                }
            })
        })
        .await
    }

    fn with<T>(&self, act: impl FnOnce(&mut Exchange, CallId) -> T) -> T {
        act(&mut self.exchange.borrow_mut(), self.id)
    }
}

/// Phones that ring as long as someone waits for them.
struct Ringing<'a>(&'a Call);

impl Drop for Ringing<'_> {
    fn drop(&mut self) {
        self.0.with(|exchange, id| exchange.stop_ringing(id, None));
    }
}

/// A tone that plays as long as someone waits for its end.
struct Playing<'a>(&'a Call);

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        self.0
            .with(|exchange, id| exchange.play_to_caller(id, None));
    }
}
