//! All sessions by number.

use model::KeptDialog;

use super::{Session, SessionId};
use crate::endpoint::IdMap;
use crate::session::session_in;

/// The sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: IdMap<SessionId, Session>,
    last: u64,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            all: IdMap::default(),
            last: 0,
        }
    }

    /// The number of the next session.
    pub(crate) const fn next_id(&mut self) -> SessionId {
        self.last += 1;
        SessionId(self.last)
    }

    pub(crate) fn add(&mut self, session: Session) {
        self.all.insert(session.id, session);
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.all.get_mut(&id)
    }

    /// The session and dialog of a request or of Replaces.
    pub(crate) fn find(
        &self,
        call_id: &str,
        local_tag: &str,
        remote_tag: &str,
    ) -> Option<(&Session, usize)> {
        let session = self.all.get(&session_in(local_tag)?)?;
        let at = session.dialog_at(call_id, local_tag, remote_tag)?;
        Some((session, at))
    }

    /// Forgets a session that is over.
    pub(crate) fn tidy(&mut self, id: SessionId) {
        if self.all.get(&id).is_some_and(Session::is_over) {
            self.all.remove(&id);
        }
    }

    /// What ending those takes whose peers have not said that they know of the end.
    pub(crate) fn unended(&self) -> impl Iterator<Item = KeptDialog> {
        self.all.values().filter_map(Session::unended)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
