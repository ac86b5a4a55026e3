//! Rows about calls to the outside that an extension may not make.
//!
//! Who dials what is not allowed shall be seen; a phone that does it a hundred times a minute, or a
//! thief who tries all countries, shall not fill a log. So of each extension the first call is told at once,
//! and further ones are counted and told at the end of the minute.

use core::time::Duration;
use std::collections::BTreeMap;

use model::{ExtensionId, Instant};

/// A person who dials the same again does so within it.
const WINDOW: Duration = Duration::from_mins(1);

/// Rows a minute that tell a first call: the calls of more extensions are told in one row.
const ROWS: usize = 60;

#[derive(Debug)]
struct Refused {
    /// When its minute ends.
    ends: Instant,
    /// Whether a row has told its first call.
    told: bool,
    /// Calls since.
    more: u32,
}

/// Limits the rows.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    extensions: BTreeMap<ExtensionId, Refused>,
}

impl Refusals {
    /// A call was refused; true where it is told now, else it is counted.
    pub(crate) fn refused(&mut self, now: Instant, extension: ExtensionId) -> bool {
        if let Some(refused) = self.extensions.get_mut(&extension) {
            refused.more = refused.more.saturating_add(1);
            return false;
        }
        let told = self.extensions.values().filter(|one| one.told).count() < ROWS;
        let refused = Refused {
            ends: now + WINDOW,
            told,
            more: u32::from(!told),
        };
        self.extensions.insert(extension, refused);
        told
    }

    /// How many calls no row has told, of extensions whose minute has ended; those of extensions that no
    /// row has named in one sum.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<(Option<ExtensionId>, u32)> {
        let mut untold = Vec::new();
        let mut unnamed = 0_u32;
        self.extensions.retain(|extension, refused| {
            if refused.ends > now {
                return true;
            }
            if !refused.told {
                unnamed = unnamed.saturating_add(refused.more);
            } else if refused.more > 0 {
                untold.push((Some(*extension), refused.more));
            }
            false
        });
        if unnamed > 0 {
            untold.push((None, unnamed));
        }
        untold
    }

    /// When the next minute ends.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.extensions.values().map(|refused| refused.ends).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_is_told_at_once_and_the_rest_by_the_minute() {
        let mut refusals = Refusals::default();
        let (one, two) = (ExtensionId::new(1), ExtensionId::new(2));
        assert!(refusals.refused(Instant::ZERO, one));
        assert!(!refusals.refused(Instant::from_millis(1000), one));
        assert!(refusals.refused(Instant::from_millis(2000), two));
        assert_eq!(refusals.timeout(), Some(Instant::from_millis(60_000)));
        assert!(refusals.expire(Instant::from_millis(59_999)).is_empty());
        assert_eq!(
            refusals.expire(Instant::from_millis(60_000)),
            [(Some(one), 1)]
        );
        assert!(refusals.expire(Instant::from_millis(62_000)).is_empty());
        assert_eq!(refusals.timeout(), None);
        assert!(refusals.refused(Instant::from_millis(70_000), one));
    }

    #[test]
    fn many_extensions_at_once_fill_no_log() {
        let mut refusals = Refusals::default();
        let all = (1..=200).map(ExtensionId::new);
        let told = all
            .filter(|id| refusals.refused(Instant::ZERO, *id))
            .count();
        assert_eq!(told, ROWS);
        assert_eq!(refusals.expire(Instant::from_millis(60_000)), [(None, 140)]);
    }
}
