//! The exchange against programs that others wrote: real phones, a load generator, a foreign proxy, each in its own
//! network namespace, with real sound measured at the far end.
//!
//! A test is a function of a [`Stage`]: a network of its own and a folder for evidence. On the stage stand
//! an [`Exchange`] and [`Phone`]s; what a phone hears is a [`Wave`]. Programs that are missing make a test *ignored*,
//! with the reason said; they never make it pass.
//!
//! Nothing here sends to an address outside the stage: no namespace has a default route.

mod child;
mod exchange;
mod machine;
mod net;
mod phone;
mod runner;
mod sipp;
mod stage;
mod wave;

pub use exchange::{Account, Admin, Exchange, Kind, Provider, Reply, administrator};
pub use machine::{BOOTS_WITHIN, Machine};
pub use net::{EXCHANGE, Host, Network, address, address6};
pub use phone::{By, Call, Event, MediaState, Peer, Phone, Setup, Srtp, Stats, Transport};
pub use runner::{Scenario, main};
pub use sipp::{Sipp, SippRun};
pub use stage::{Need, Stage};
pub use wave::Wave;
