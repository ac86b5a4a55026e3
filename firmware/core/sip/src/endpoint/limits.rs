//! How much of everything the endpoint holds at most. Beyond it new work is refused, with 503 and
//! Retry-After where it can be; what is under way goes on.

use core::time::Duration;

/// Early dialogs of one INVITE (RFC 3261 §12.1). A phone makes one, a proxy that rings a group a few.
pub(crate) const FORKS: usize = 16;

/// Transfers under way in one session.
pub(crate) const REFERS: usize = 4;

/// Provisional responses that wait for the PRACK of the one before.
pub(crate) const WAITING_PROVISIONALS: usize = 8;

/// Contacts of one extension: every phone a person has, each by two ways. The oldest makes room.
pub(crate) const BINDINGS_PER_EXTENSION: usize = 10;

/// Contacts in one REGISTER: no more than may be kept.
pub(crate) const CONTACTS_PER_REGISTER: usize = BINDINGS_PER_EXTENSION;

/// Path values of a binding: proxies between a phone and the exchange.
pub(crate) const PATH_VALUES: usize = 8;

/// Routes of a dialog: as many hops as Max-Forwards allows would be 70; no call passes so many proxies.
pub(crate) const ROUTES: usize = 20;

/// Octets of a URI that is kept (Contact, Path, Record-Route). The longest of real phones, with the
/// token of a push service (RFC 8599), have 400.
pub(crate) const KEPT_URI_BYTES: usize = 512;

/// Parameters of a URI that is kept. Real ones have ten; comparing two takes the square of it.
pub(crate) const KEPT_URI_PARAMS: usize = 32;

/// Octets of a From or To, kept by a dialog and repeated in all of its messages: a URI as above, and a
/// name as long.
pub(crate) const KEPT_PARTY_BYTES: usize = 1024;

/// Octets of a Call-ID, a tag or an instance: names of chance, of 100 octets at most in practice.
pub(crate) const KEPT_NAME_BYTES: usize = 256;

/// Octets kept of a `User-Agent`: it is shown to people.
pub(crate) const KEPT_PRODUCT_BYTES: usize = 256;

/// Sessions and transactions beyond all limits that calls to urgent numbers may have.
pub(crate) const URGENT_RESERVE: usize = 64;

/// Octets of a body where nothing is described: REFER, BYE and their kin have none as a rule, and a few
/// header lines (message/sipfrag) at most.
pub(crate) const PLAIN_BODY_BYTES: usize = 4096;

/// Connections: 2,000 extensions, of which 500 speak at a time, with a phone and a program each. Where
/// there are so many, the oldest that has proved nothing gives way to a new one.
pub const STREAMS: usize = 4_096;

/// Connections of one source (an office behind one address): an eighth of all, so that no password lets
/// anybody have them all.
pub(crate) const SHARE_OF_ONE_SOURCE: usize = 8;

/// A connection that has proved nothing ends after so long without a message, and any after so long
/// with an unfinished one: registering takes two round trips, and no network two seconds a segment.
pub(crate) const STREAM_PATIENCE: Duration = Duration::from_secs(30);

/// A connection that has proved nothing ends after so long, whatever comes on it: who types his password
/// into a phone has another one by then.
pub(crate) const UNPROVEN_LIFE: Duration = Duration::from_mins(2);

/// Wrong credentials on a connection that has proved nothing: a phone tries once or twice, and again only
/// when somebody has typed something else.
pub(crate) const WRONG_TRIES: u8 = 5;

/// What an unproven connection may have buffered of a message: what a REGISTER or INVITE never needs.
pub(crate) const UNPROVEN_OCTETS: usize = 16 * 1024;

/// Retry-After of a refusal by a limit, in seconds: long enough for transactions to end.
pub(crate) const RETRY_AFTER_S: u32 = 10;
