//! Every arrow of RFC 3261 figures 5 to 8 and of RFC 6026, and every timer of table 4.

mod client;
mod invite_client;
mod invite_server;
mod server;

use core::time::Duration;

use super::Action::{self, Send, SendAck, SendTrying, Start, Stop, Tell, TellTimeout, Terminate};
use super::TimerName::{A, B, D, E, F, G, H, I, J, K, L, M, Trying};
use super::{ClientEvent, ServerEvent};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

const fn s(s: u64) -> Duration {
    Duration::from_secs(s)
}

const NOTHING: [Action; 0] = [];
