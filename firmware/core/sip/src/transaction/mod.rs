//! Transactions (RFC 3261 §17 with RFC 6026 and RFC 4320).
//!
//! The four machines are pure: an event goes in, [`Actions`] come out, and neither a message nor a
//! clock is seen by them. [`Clients`] and [`Servers`] hold them, match messages to them and keep
//! what has to be sent again. Who uses a transaction, and for what, is a number to this module.

mod actions;
mod client;
mod clients;
mod invite_client;
mod invite_server;
mod key;
mod server;
mod servers;

#[cfg(test)]
mod tests;

use core::time::Duration;

pub(crate) use actions::{Action, Actions, TimerName};
pub(crate) use client::Client;
pub(crate) use clients::Clients;
pub(crate) use invite_client::InviteClient;
pub(crate) use invite_server::InviteServer;
pub(crate) use key::{
    Key, Keys, branch_with_cookie, cancelled_key, merge_key, number_in, server_key,
};
pub(crate) use server::Server;
pub(crate) use servers::Servers;

/// Estimate of the round trip (RFC 3261 §17.1.1.1).
pub(crate) const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of all but INVITE and 2xx.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// Longest time a message stays in the network.
pub(crate) const T4: Duration = Duration::from_secs(5);
/// How long a transaction may take: 64 times T1.
pub(crate) const T1_64: Duration = Duration::from_secs(32);
/// Timer D over a datagram transport: "at least 32 seconds" (RFC 3261 §17.1.1.2).
pub(crate) const TIMER_D: Duration = Duration::from_secs(32);
/// After so long without a word from the user of the transaction, 100 Trying (RFC 3261 §17.2.1).
pub(crate) const TRYING_AFTER: Duration = Duration::from_millis(200);
/// The same for other requests than INVITE: not before the client's Timer E has come to T2
/// (RFC 4320 §4.1): 0.5 s + 1 s + 2 s.
pub(crate) const LATE_TRYING_AFTER: Duration = Duration::from_millis(3500);

/// A request we have sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(pub(crate) u64);

/// A request we have received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerId(pub(crate) u64);

/// What a server machine sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerEvent {
    /// The request, again.
    Request,
    /// An ACK with the branch of the INVITE.
    Ack,
    /// The user answers 1xx.
    Provisional,
    /// The user answers 2xx.
    Success,
    /// The user answers 300 to 699.
    Failure,
    /// A timer has run out.
    Timer(TimerName),
    /// An answer could not be sent.
    TransportFailed,
}

/// What a client machine sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientEvent {
    /// 1xx came.
    Provisional,
    /// 2xx came.
    Success,
    /// 300 to 699 came.
    Failure,
    /// A timer has run out.
    Timer(TimerName),
    /// The request can't be sent, or its connection is gone.
    TransportFailed,
}

/// `interval` doubled, at most T2.
pub(crate) fn doubled(interval: Duration) -> Duration {
    (interval * 2).min(T2)
}
