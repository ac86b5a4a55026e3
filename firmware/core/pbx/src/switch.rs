//! The switch: what goes in, what comes out, and when it wants to be woken.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use model::config::Configuration;
use model::control::{
    ActiveCall, Brakes, FailedLogin, InterfaceState, LastPhone, Notice, Registration, UnknownLogin,
};
use model::explain::{Caller, Explanation};
use model::{
    Binding, CallId, CallRecord, ExtensionId, Flow, Instant, InterfaceId, KeptDialog, OpenCall,
    Party, Transport, WallTime,
};
use sip::endpoint::Closing;

use crate::exchange::Exchange;
use crate::executor::{Polled, Scripts, TooManySteps};
use crate::route::Past;
use crate::script::{Call, Shared, script};

/// What the process shell tells the switch once.
#[derive(Clone, Debug)]
pub struct SwitchConfig {
    /// The configuration in force.
    pub configuration: Arc<Configuration>,
    /// Civil time at `now`.
    pub wall: WallTime,
    /// Random bytes, never the same twice.
    pub seed: [u8; 32],
    /// The first call's id; later ones count up from it.
    pub first_call: CallId,
    /// UDP port of the RTP socket of each media port; RTCP is one above. Index = `PortId`.
    pub rtp_ports: Vec<u16>,
    /// The most connections of phones.
    pub streams: usize,
    /// Contacts known from before a restart.
    pub bindings: Vec<Binding>,
    /// Dialogs that the last process left: their peers are told that it is over.
    pub dialogs: Vec<KeptDialog>,
    /// `Server` and `User-Agent` header.
    pub product: String,
}

/// How busy the process is, measured by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How long the datagrams now handled have waited in the socket, in microseconds.
    pub queue_delay_us: u64,
}

/// What goes in.
#[derive(Debug)]
pub enum Input {
    /// From the SIP sockets.
    Sip(sip::endpoint::Input),
    /// From the media thread.
    Media(media::Event),
    /// A configuration came into force. Calls under way go on.
    Configure(Arc<Configuration>),
    /// An administrator ends a call.
    HangUp {
        /// Which.
        call: CallId,
        /// The user name of the administrator.
        by: String,
    },
    /// Civil time was set or has drifted.
    Clock(WallTime),
    /// How far the time of the box is east of UTC, in seconds.
    Zone(i32),
    /// How busy the process is.
    Load(Load),
    /// Where the server of an interface is: the ways to it, the preferred first; none where nothing
    /// was found.
    LookedUp {
        /// Whose server.
        interface: InterfaceId,
        /// From which of our addresses to which of its.
        flows: Vec<Flow>,
    },
    /// What is wanted for the Debug log: the messages that come, and what becomes of calls.
    Debug {
        /// [`Output::Heard`].
        messages: bool,
        /// [`Output::Decision`].
        decisions: bool,
    },
    /// Someone watches the calls: measure them while they last. No: nobody any more.
    Watch(bool),
    /// End all calls and take no new ones: the process is about to stop.
    Shutdown,
    /// The moment of `poll_timeout` has come.
    Timeout,
}

/// What comes out, in this order.
#[derive(Debug)]
pub enum Output {
    /// Send a SIP message.
    Transmit {
        /// From where, to where.
        flow: Flow,
        /// One message.
        bytes: Bytes,
    },
    /// Close a connection after what was sent on it.
    CloseStream {
        /// Which.
        flow: Flow,
        /// For the log.
        why: Closing,
    },
    /// For the media thread.
    Media(media::Command),
    /// A contact is new or refreshed; it must be kept before the next `Transmit` goes out.
    BindingPut(Box<Binding>),
    /// A contact is gone; likewise.
    BindingRemove {
        /// Whose.
        extension: ExtensionId,
        /// Contact URI.
        contact: String,
    },
    /// A call came in, or was answered: what is known of it, `Interrupted` as its end, in case nothing
    /// follows; and what ending its dialogs then takes. It must be kept before the next `Transmit`.
    CallOpened(Box<OpenCall>),
    /// A call is over; it must be kept before the next `Transmit` goes out. It comes again, complete,
    /// when its quality has been measured: the later one replaces the earlier.
    CallClosed(Box<CallRecord>),
    /// Look up where the server of an interface is (RFC 3263); [`Input::LookedUp`] says so.
    LookUp {
        /// Whose server.
        interface: InterfaceId,
        /// Its domain name or address.
        host: String,
        /// Its port; none asks for SRV records too.
        port: Option<u16>,
        /// How messages are to get there.
        transport: Transport,
    },
    /// A message came, before what it leads to; only where that is wanted.
    Heard {
        /// From where, to where.
        flow: Flow,
        /// As it came: it may have secrets.
        bytes: Bytes,
    },
    /// What becomes of a call and why, in English; only where that is wanted.
    Decision {
        /// Who calls.
        caller: Option<ExtensionId>,
        /// One row, of some lines.
        text: String,
    },
    /// For those who watch.
    Notice(Box<Notice>),
    /// A row for the Security log.
    Security {
        /// In English; of one series always the same.
        text: String,
        /// For how many it stands.
        times: u32,
    },
    /// A row for the Warning log, in English.
    Warning(String),
}

/// The exchange: a pure function of bytes, media events, time and configuration.
///
/// One input, then `poll_output` to `None`, then `poll_timeout`. It stays on the thread that made
/// it: call scripts share its state by `Rc`.
#[derive(Debug)]
pub struct Switch {
    exchange: Shared,
    scripts: Scripts,
    /// What one input has sent; kept for its memory.
    sent: Vec<Output>,
}

impl Switch {
    /// An exchange without calls.
    #[must_use]
    pub fn new(now: Instant, config: SwitchConfig) -> Self {
        let mut switch = Self {
            exchange: Rc::new(RefCell::new(Exchange::new(now, config))),
            scripts: Scripts::default(),
            sent: Vec::new(),
        };
        switch.run();
        switch
    }

    /// Takes one input.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        {
            let mut exchange = self.exchange.borrow_mut();
            exchange.begin(now);
            let now = exchange.now;
            match input {
                Input::Sip(input) => exchange.endpoint.handle_input(now, input),
                Input::Media(event) => exchange.media_event(event),
                Input::Configure(configuration) => exchange.configure(configuration),
                Input::HangUp { call, by } => exchange.hang_up(call, by),
                Input::Clock(wall) => exchange.set_clock(wall),
                Input::Zone(east_s) => exchange.zone_s = east_s,
                Input::Load(load) => exchange.measured_delay(load.queue_delay_us),
                Input::LookedUp { interface, flows } => exchange.looked_up(interface, flows),
                Input::Debug {
                    messages,
                    decisions,
                } => exchange.debug(messages, decisions),
                Input::Watch(watched) => exchange.watch(watched),
                Input::Shutdown => exchange.shut_down(),
                Input::Timeout => {
                    let due = exchange.endpoint.poll_timeout();
                    if due.is_some_and(|due| due <= now) {
                        exchange
                            .endpoint
                            .handle_input(now, sip::endpoint::Input::Timeout);
                    }
                }
            }
        }
        self.run();
    }

    /// What is to be done next, in order; none where all is said.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.exchange.borrow_mut().outputs.pop_front()
    }

    /// When [`Input::Timeout`] is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.exchange.borrow().timeout()
    }

    /// The calls there are, the oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<ActiveCall> {
        self.exchange.borrow().active_calls()
    }

    /// The phones that are registered, by extension.
    #[must_use]
    pub fn registrations(&self) -> Vec<Registration> {
        self.exchange.borrow().registrations()
    }

    /// Of the calls after this one so many, the oldest first.
    #[must_use]
    pub fn calls_after(&self, after: Option<CallId>, most: usize) -> Vec<ActiveCall> {
        self.exchange.borrow().active_calls_after(after, most)
    }

    /// The phones of the extensions after this one, by extension: of as many as have so many phones.
    #[must_use]
    pub fn registrations_after(
        &self,
        after: Option<ExtensionId>,
        most: usize,
    ) -> Vec<Registration> {
        self.exchange.borrow().registrations_after(after, most)
    }

    /// How many calls have such a caller.
    #[must_use]
    pub fn count_calls(&self, such: impl Fn(&Party) -> bool) -> usize {
        let exchange = self.exchange.borrow();
        let calls = exchange.calls.values();
        calls.filter(|call| such(&call.caller)).count()
    }

    /// How many phones are registered for such extensions.
    #[must_use]
    pub fn count_registrations(&self, such: impl Fn(ExtensionId) -> bool) -> usize {
        let exchange = self.exchange.borrow();
        let bindings = exchange.endpoint.all_bindings();
        bindings.filter(|binding| such(binding.extension)).count()
    }

    /// Phones that were not let in: of each extension the last one, and those whose user name no
    /// extension has; the last first.
    #[must_use]
    pub fn failed_logins(&self) -> (Vec<FailedLogin>, Vec<UnknownLogin>) {
        let exchange = self.exchange.borrow();
        exchange.failed_logins.list(exchange.now)
    }

    /// The last phone of an extension that has none.
    #[must_use]
    pub fn last_phone(&self, extension: ExtensionId) -> Option<LastPhone> {
        self.exchange.borrow().last_phones.get(&extension).cloned()
    }

    /// Who made a call; none where it is over.
    #[must_use]
    pub fn caller_of(&self, call: CallId) -> Option<Party> {
        Some(self.exchange.borrow().calls.get(&call)?.caller.clone())
    }

    /// The ways to other networks that are enabled, by id.
    #[must_use]
    pub fn interfaces(&self) -> Vec<InterfaceState> {
        self.exchange.borrow().interfaces()
    }

    /// What is used of the limits of the fraud protection.
    #[must_use]
    pub fn brakes(&self) -> Brakes {
        self.exchange.borrow().brakes_used()
    }

    /// What would become of a call if somebody dialled a number now, by the rules that calls obey.
    #[must_use]
    pub fn explain(&self, caller: Caller, dialled: &str) -> Explanation {
        let exchange = self.exchange.borrow();
        exchange.route(caller, dialled, Past::default()).explained()
    }

    /// For tests: whether the limit of calls for help of one extension is reached.
    #[cfg(test)]
    pub(crate) fn calls_enough_for_help(&self, extension: model::ExtensionId) -> bool {
        self.exchange.borrow().calls_enough_for_help(extension)
    }

    /// Requests refused because of overload since the start.
    #[must_use]
    pub fn overload_refusals(&self) -> u64 {
        let exchange = self.exchange.borrow();
        exchange.overload_refusals() + exchange.endpoint.refusals()
    }

    /// Media ports that are not free.
    #[must_use]
    pub fn ports_in_use(&self) -> usize {
        self.exchange.borrow().ports.in_use()
    }

    /// How much is still to be ended in order: calls, and what their phones have not confirmed.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        let exchange = self.exchange.borrow();
        exchange.calls.len() + exchange.endpoint.unfinished()
    }

    /// Dialogs that a process that stops now leaves to the next: see [`SwitchConfig::dialogs`].
    #[must_use]
    pub fn unended_dialogs(&self) -> Vec<KeptDialog> {
        self.exchange.borrow().endpoint.unended_dialogs()
    }

    /// Whether dialogs of before are still to be ended: see [`SwitchConfig::dialogs`].
    #[must_use]
    pub fn is_ending_dialogs(&self) -> bool {
        self.exchange.borrow().endpoint.is_ending_dialogs()
    }

    /// Phones since the start that could not be told of the end of their call, and are not told later: too
    /// many others were to be.
    #[must_use]
    pub fn given_up_dialogs(&self) -> u64 {
        self.exchange.borrow().endpoint.given_up_dialogs()
    }

    /// Nothing is left of any call: for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.scripts.len() == 0 && self.exchange.borrow().is_idle()
    }

    /// Carries on until nothing more happens at this moment. What the endpoint sends comes out last:
    /// so what is to be kept, and the ports that are to be open, come before the message that says so.
    fn run(&mut self) {
        let mut sent = core::mem::take(&mut self.sent);
        loop {
            self.run_scripts();
            let mut exchange = self.exchange.borrow_mut();
            match exchange.endpoint.poll_output() {
                Some(sip::endpoint::Output::Transmit { flow, bytes }) => {
                    sent.push(Output::Transmit { flow, bytes });
                }
                Some(sip::endpoint::Output::CloseStream { flow, why }) => {
                    sent.push(Output::CloseStream { flow, why });
                }
                Some(sip::endpoint::Output::Event(event)) => exchange.sip_event(event),
                None => break,
            }
        }
        let mut exchange = self.exchange.borrow_mut();
        exchange.outputs.extend(sent.drain(..));
        self.sent = sent;
        exchange.tell_watchers();
    }

    /// Polls every script that is ready; begins and ends those that are to.
    fn run_scripts(&mut self) {
        loop {
            let (starting, doomed, next) = {
                let mut exchange = self.exchange.borrow_mut();
                let starting = core::mem::take(&mut exchange.starting);
                let doomed = core::mem::take(&mut exchange.doomed);
                let next = doomed.is_empty().then(|| exchange.wakes.next()).flatten();
                (starting, doomed, next)
            };
            for (call, plot) in starting {
                let handle = Call::new(call, Rc::clone(&self.exchange));
                self.scripts.start(call, script(plot, handle));
            }
            for call in &doomed {
                self.finish(*call);
            }
            let ended = match next {
                Some(Ok(call)) => (self.scripts.poll(call) == Polled::Finished).then_some(call),
                Some(Err(TooManySteps(call))) => Some(call),
                None if doomed.is_empty() => return,
                None => None,
            };
            if let Some(call) = ended {
                self.finish(call);
            }
        }
    }

    /// Drops the script of a call, with what its operations hold, then all that the call holds.
    fn finish(&mut self, call: CallId) {
        self.scripts.stop(call);
        self.exchange.borrow_mut().finish(call);
    }
}
