//! Sessions of the web: kept by the SHA-256 of their token, so that a copy of the database opens none.

use std::time::Duration;

use model::config::User;
use model::{Secret, UserId, WallTime};
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use crate::config::user_from_row;
use crate::{Author, ChangeError, Store, StoreError, log};

/// How stale `last_seen` may be, so that looking a session up doesn't write each time.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

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
        self.inner.config.write(|tx| {
            let name: Option<String> = tx
                .prepare_cached("SELECT name FROM users WHERE id = ?1 AND enabled")?
                .query_row([session.user.raw()], |row| row.get(0))
                .optional()?;
            let name = name.ok_or(ChangeError::NotFound("user"))?;
            tx.prepare_cached(
                "INSERT INTO sessions (token, user, address, created, last_seen, idle, expires)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
            )?
            .execute(params![
                digest(&session.token),
                session.user.raw(),
                session.address,
                now.as_unix_micros(),
                micros(session.idle),
                (now + session.absolute).as_unix_micros()
            ])?;
            let text = format!("{name} - session opened for host {}", session.address);
            self.log_session(tx, now, name, session.address.clone(), &text)?;
            Ok(())
        })
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
        let token = digest(token);
        let found = self.inner.config.read(|tx| find(tx, now, &token))?;
        let Some((session, idle)) = found else {
            return Ok(None);
        };
        let stale = TOUCH_EVERY.min(idle / 4);
        // A clock that was set back has left a moment to come in it.
        if now.since(session.last_seen) >= stale || session.last_seen > now {
            let touched = self.inner.config.write(|tx| {
                tx.prepare_cached("UPDATE sessions SET last_seen = ?2 WHERE token = ?1")?
                    .execute(params![token, now.as_unix_micros()])
            });
            if let Err(error) = touched {
                // The session is good all the same; the next look tries again.
                tracing::debug!(%error, "the use of a session wasn't noted");
            }
        }
        Ok(Some(session))
    }

    /// The open session of this token, as [`Store::session_lookup`] finds it; but this is no use of
    /// it, so that what only waits, such as a stream of events, doesn't keep it open.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn session_peek(
        &self,
        now: WallTime,
        token: &Secret,
    ) -> Result<Option<Session>, StoreError> {
        let token = digest(token);
        let found = self.inner.config.read(|tx| find(tx, now, &token))?;
        Ok(found.map(|(session, _)| session))
    }

    /// Closes a session and says so in the Config log; false where there was none.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn session_delete(&self, now: WallTime, token: &Secret) -> Result<bool, StoreError> {
        self.inner.config.write(|tx| {
            let closed: Option<(i64, String)> = tx
                .prepare_cached("DELETE FROM sessions WHERE token = ?1 RETURNING user, address")?
                .query_row([digest(token)], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((user, host)) = closed else {
                return Ok(false);
            };
            let name: String = tx
                .prepare_cached("SELECT name FROM users WHERE id = ?1")?
                .query_row([user], |row| row.get(0))?;
            let text = format!("{name} - session closed for host {host}");
            self.log_session(tx, now, name, host, &text)?;
            Ok(true)
        })
    }

    /// Closes all sessions of a user; returns how many.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn session_delete_all(&self, user: UserId) -> Result<usize, StoreError> {
        self.inner.config.write(|tx| Ok(close_all(tx, user, None)?))
    }

    /// Forgets sessions that have ended; returns how many. For a call every hour or so.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn session_purge(&self, now: WallTime) -> Result<usize, StoreError> {
        self.inner.config.write(|tx| {
            Ok(tx.execute(
                "DELETE FROM sessions WHERE expires <= ?1 OR last_seen + idle <= ?1",
                [now.as_unix_micros()],
            )?)
        })
    }

    fn log_session(
        &self,
        tx: &Transaction<'_>,
        now: WallTime,
        name: String,
        host: String,
        text: &str,
    ) -> Result<(), rusqlite::Error> {
        let author = Author { name, host };
        log::append_config(tx, self.inner.limits.log_rows, now, &author, None, text)
    }
}

/// Closes the sessions of a user, but not the one of the token to keep.
pub(crate) fn close_all(
    tx: &Transaction<'_>,
    user: UserId,
    keep: Option<&Secret>,
) -> Result<usize, rusqlite::Error> {
    // A null is not distinct from no digest: without a token to keep, none is kept.
    tx.prepare_cached("DELETE FROM sessions WHERE user = ?1 AND token IS NOT ?2")?
        .execute(params![user.raw(), keep.map(digest)])
}

/// The session of a token and how long it lasts unused, where it is open.
fn find(
    tx: &Transaction<'_>,
    now: WallTime,
    token: &[u8; 32],
) -> Result<Option<(Session, Duration)>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, name, full_name, email, language, role, enabled,
                created, last_seen, expires, address, idle
         FROM sessions JOIN users ON id = user
         WHERE token = ?1 AND enabled AND expires > ?2 AND last_seen + idle > ?2",
    )?;
    let mut rows = statement.query(params![token, now.as_unix_micros()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let idle: i64 = row.get(11)?;
    let session = Session {
        user: user_from_row(row)?,
        created: WallTime::from_unix_micros(row.get(7)?),
        last_seen: WallTime::from_unix_micros(row.get(8)?),
        expires: WallTime::from_unix_micros(row.get(9)?),
        address: row.get(10)?,
    };
    Ok(Some((session, Duration::from_micros(idle.unsigned_abs()))))
}

fn digest(token: &Secret) -> [u8; 32] {
    Sha256::digest(token.expose().as_bytes()).into()
}

/// A span as a column; sums with moments of this age stay in range.
fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).map_or(i64::MAX / 4, |us| us.min(i64::MAX / 4))
}

#[cfg(test)]
mod tests;
