//! The switch: what goes in, what comes out, and when it wants to be woken.

use std::sync::Arc;

use bytes::Bytes;
use model::config::Configuration;
use model::control::{ActiveCall, Notice, Registration};
use model::{Binding, CallId, CallRecord, ExtensionId, Flow, Instant, PortId, WallTime};

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
    /// Contacts known from before a restart.
    pub bindings: Vec<Binding>,
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
    HangUp(CallId),
    /// Civil time was set or has drifted.
    Clock(WallTime),
    /// How busy the process is.
    Load(Load),
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
    /// A call came in: a record of what is known, `Interrupted` as its end, in case nothing follows.
    CallOpened(Box<CallRecord>),
    /// A call is over; it must be kept before the next `Transmit` goes out.
    CallClosed(Box<CallRecord>),
    /// For those who watch.
    Notice(Box<Notice>),
    /// A row for the Security log, in English.
    Security(String),
}

/// The exchange.
#[derive(Debug)]
pub struct Switch {}

#[allow(unused_variables, missing_docs, clippy::todo, clippy::needless_pass_by_value)]
impl Switch {
    pub fn new(now: Instant, config: SwitchConfig) -> Self { todo!() }
    pub fn handle_input(&mut self, now: Instant, input: Input) { todo!() }
    pub fn poll_output(&mut self) -> Option<Output> { todo!() }
    pub fn poll_timeout(&self) -> Option<Instant> { todo!() }

    pub fn calls(&self) -> Vec<ActiveCall> { todo!() }
    pub fn registrations(&self) -> Vec<Registration> { todo!() }
    pub fn overload_refusals(&self) -> u64 { todo!() }
    /// Media ports in use, for tests and status.
    pub fn ports_in_use(&self) -> usize { todo!() }
    #[doc(hidden)]
    pub fn _port(&self) -> Option<PortId> { None }
}
