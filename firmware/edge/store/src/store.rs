//! The data directory, opened.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::StoreError;

/// The databases of one data directory. Cheap to clone; may be used from many threads and processes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<()>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = &self.inner;
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory; makes it and what is in it where there is none, for its owner only,
    /// and brings older databases up to this version.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] after a downgrade; else what the disk says.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let _ = dir;
        todo!()
    }
}
