//! The virtual world of the tests: clock, network, SIP phone, tapes.
//!
//! [`World`] is a whole exchange in virtual time: the real `pbx::Switch` and `media::Graph`, phones
//! built on another SIP implementation, and a seeded network between them. A scenario reads like a tape:
//!
//! ```
//! use testkit::World;
//!
//! let mut w = World::of(["101", "102"]);
//! let (a, b) = (w.phone("101"), w.phone("102"));
//! w.dial(a, "102");
//! w.run_for(500);
//! assert!(w.is_ringing(b));
//! w.answer(b);
//! w.run_for(1000);
//! w.assert_talk(a, b);
//! w.hang_up(a);
//! w.finish();
//! ```

mod chance;
mod network;
pub mod phone;
mod tape;
mod world;

pub use chance::Chance;
pub use network::{Link, Network};
pub use phone::{
    Algorithm, Call, End, Greeting, Keys, Phone, Profile, Quirks, Reliable, Srtp, State,
};
pub use rsip::Method;
pub use tape::Tape;
pub use world::{Builder, Line, PhoneId, World, assert_hears, assert_silence};
