//! Where the data is: on the card, or in memory where the card's can't be used.

use anyhow::{Error, Result};

/// Which data can be used.
#[derive(Debug)]
pub enum Usable {
    /// The card's.
    OnCard,
    /// None that outlives the power, for this reason.
    InMemory(Error),
}

/// Prepares what the services share on the data as it was mounted, and where that was or is impossible
/// on data in memory, that `in_memory` puts in its place.
///
/// # Errors
/// Where memory does not do either.
pub fn usable(
    mounted: Result<()>,
    settle: impl Fn() -> Result<()>,
    in_memory: impl FnOnce() -> Result<()>,
) -> Result<Usable> {
    let Err(error) = mounted.and_then(|()| settle()) else {
        return Ok(Usable::OnCard);
    };
    in_memory()?;
    settle()?;
    Ok(Usable::InMemory(error))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use anyhow::{anyhow, bail};

    use super::*;

    /// What is used, and what was done; the data can be settled where `settles` says so.
    fn used(mounted: bool, settles: [bool; 2]) -> (Result<Usable>, Vec<&'static str>) {
        let done = RefCell::new(Vec::new());
        let is_in_memory = Cell::new(false);
        let mounted = mounted.then_some(()).ok_or_else(|| anyhow!("no card"));
        let settle = || {
            done.borrow_mut().push("settle");
            if !settles[usize::from(is_in_memory.get())] {
                bail!("a file where a folder should be");
            }
            Ok(())
        };
        let in_memory = || {
            done.borrow_mut().push("memory");
            is_in_memory.set(true);
            Ok(())
        };
        let usable = usable(mounted, settle, in_memory);
        (usable, done.into_inner())
    }

    #[test]
    fn a_card_that_can_be_used_is() {
        let (usable, done) = used(true, [true, true]);
        assert!(matches!(usable, Ok(Usable::OnCard)));
        assert_eq!(done, ["settle"]);
    }

    #[test]
    fn a_card_that_can_not_be_settled_gives_way_to_memory() {
        let (usable, done) = used(true, [false, true]);
        assert!(
            matches!(usable, Ok(Usable::InMemory(error)) if error.to_string().contains("folder"))
        );
        assert_eq!(done, ["settle", "memory", "settle"]);
        let (usable, done) = used(false, [true, true]);
        assert!(matches!(usable, Ok(Usable::InMemory(error)) if error.to_string() == "no card"));
        assert_eq!(done, ["memory", "settle"]);
    }

    #[test]
    fn a_system_that_is_broken_itself_does_not_start() {
        let (usable, done) = used(true, [false, false]);
        assert!(usable.is_err());
        assert_eq!(
            done,
            ["settle", "memory", "settle"],
            "once more and not for ever"
        );
    }
}
