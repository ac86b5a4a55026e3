//! Sessions of the web: kept by the SHA-256 of their token, so that a copy of the database opens none.

use std::time::Duration;

use model::config::User;
use model::{Secret, UserId, WallTime};

use crate::{ChangeError, Store, StoreError};

/// A session to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The random text the browser gets; at least 128 bits of chance.
    pub token: Secret,
    /// Whose.
    pub user: UserId,
    /// Address the login came from.
    pub address: String,
    /// It ends when nothing was asked for so long.
    pub idle: Duration,
    /// It ends so long after the login in any case.
    pub absolute: Duration,
}

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose, as the user is now; an enabled one.
    pub user: User,
    /// When it was opened.
    pub created: WallTime,
    /// When it was last used, to the minute.
    pub last_seen: WallTime,
    /// When it ends in any case.
    pub expires: WallTime,
    /// Address the login came from.
    pub address: String,
}

impl Store {
    /// Opens a session and says so in the Config log (`Admin - session opened for host 127.0.0.1`).
    ///
    /// # Errors
    /// [`ChangeError::NotFound`] where the user is gone or disabled meanwhile.
    pub fn session_create(&self, now: WallTime, session: &NewSession) -> Result<(), ChangeError> {
        let _ = (now, session);
        todo!()
    }

    /// The open session of this token. Its use is noted once a minute at most, so that looking does
    /// not write.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn session_lookup(
        &self,
        now: WallTime,
        token: &Secret,
    ) -> Result<Option<Session>, StoreError> {
        let _ = (now, token);
        todo!()
    }

    /// Closes a session and says so in the Config log; false where there was none.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn session_delete(&self, now: WallTime, token: &Secret) -> Result<bool, StoreError> {
        let _ = (now, token);
        todo!()
    }

    /// Closes all sessions of a user; returns how many.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn session_delete_all(&self, user: UserId) -> Result<usize, StoreError> {
        let _ = user;
        todo!()
    }

    /// Forgets sessions that have ended; returns how many. For a call every hour or so.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn session_purge(&self, now: WallTime) -> Result<usize, StoreError> {
        let _ = now;
        todo!()
    }
}
