//! The server transactions under way, and which of them a request belongs to (RFC 3261 §17.2.3).

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use model::Flow;

use super::{Actions, InviteServer, Key, Keys, Server, ServerEvent, ServerId};
use crate::endpoint::{IdMap, KeyMap, SessionId, TimerHandle};
use crate::message::{Method, Request};

/// Either machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerMachine {
    /// INVITE.
    Invite(InviteServer),
    /// Any other.
    Other(Server),
}

/// A request from a peer until it can't come again.
#[derive(Debug)]
pub(crate) struct ServerTransaction {
    /// The state.
    pub(crate) machine: ServerMachine,
    /// The request, its Via completed; none once it has its final answer, which is all that can be
    /// asked for then.
    pub(crate) request: Option<Arc<Request>>,
    /// The way answers go: the one the request came.
    pub(crate) flow: Flow,
    /// The last answer.
    pub(crate) wire: Bytes,
    /// The two timers of the machine.
    pub(crate) timers: [Option<TimerHandle>; 2],
    /// The session that has to answer.
    pub(crate) session: Option<SessionId>,
    key: Key,
    merge_key: Option<Key>,
}

impl ServerTransaction {
    /// Takes an event.
    pub(crate) fn on(&mut self, event: ServerEvent) -> Actions {
        match &mut self.machine {
            ServerMachine::Invite(machine) => machine.on(event),
            ServerMachine::Other(machine) => machine.on(event),
        }
    }

    /// True for an INVITE that has no final answer yet.
    pub(crate) const fn is_open_invite(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.is_proceeding(),
            ServerMachine::Other(_) => false,
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Servers {
    all: IdMap<ServerId, ServerTransaction>,
    by_key: KeyMap<ServerId>,
    /// Requests outside of dialogs by From tag, Call-ID and `CSeq` (RFC 3261 §8.2.2.2).
    by_merge_key: KeyMap<ServerId>,
    /// INVITEs that came on a connection: where it closes, their callers are gone.
    by_stream: BTreeSet<(Flow, ServerId)>,
    last: u64,
    /// What identifies a request is made by these.
    pub(crate) keys: Keys,
}

impl Servers {
    pub(crate) fn new(keys: Keys) -> Self {
        Self {
            keys,
            all: IdMap::default(),
            by_key: KeyMap::default(),
            by_merge_key: KeyMap::default(),
            by_stream: BTreeSet::new(),
            last: 0,
        }
    }

    /// Adds a transaction; what it has to do first comes back.
    pub(crate) fn add(
        &mut self,
        key: Key,
        flow: Flow,
        request: Arc<Request>,
    ) -> (ServerId, Actions) {
        self.last += 1;
        let id = ServerId(self.last);
        let reliable = flow.transport.is_stream();
        let (machine, actions) = if request.method == Method::Invite {
            let (machine, actions) = InviteServer::start(reliable);
            (ServerMachine::Invite(machine), actions)
        } else {
            let (machine, actions) = Server::start(reliable);
            (ServerMachine::Other(machine), actions)
        };
        let transaction = ServerTransaction {
            machine,
            request: Some(request),
            flow,
            wire: Bytes::new(),
            timers: [None, None],
            session: None,
            key,
            merge_key: None,
        };
        if reliable && transaction.is_open_invite() {
            self.by_stream.insert((flow, id));
        }
        self.all.insert(id, transaction);
        self.by_key.insert(key, id);
        (id, actions)
    }

    /// The transaction with this key.
    pub(crate) fn matching(&self, key: Key) -> Option<ServerId> {
        self.by_key.get(&key).copied()
    }

    /// True where the same request came before on another way (RFC 3261 §8.2.2.2).
    pub(crate) fn is_merged(&self, merge_key: Key) -> bool {
        self.by_merge_key.contains_key(&merge_key)
    }

    /// From now on the same request on another way is seen as such.
    pub(crate) fn watch_for_merging(&mut self, id: ServerId, merge_key: Key) {
        if let Some(transaction) = self.all.get_mut(&id) {
            transaction.merge_key = Some(merge_key);
            self.by_merge_key.insert(merge_key, id);
        }
    }

    pub(crate) fn get(&self, id: ServerId) -> Option<&ServerTransaction> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ServerId) -> Option<&mut ServerTransaction> {
        self.all.get_mut(&id)
    }

    /// Forgets one.
    pub(crate) fn remove(&mut self, id: ServerId) -> Option<ServerTransaction> {
        let gone = self.all.remove(&id)?;
        self.by_key.remove(&gone.key);
        self.by_stream.remove(&(gone.flow, id));
        if let Some(merge_key) = &gone.merge_key {
            self.by_merge_key.remove(merge_key);
        }
        Some(gone)
    }

    /// The INVITEs that came on a connection.
    pub(crate) fn invites_on(&self, flow: Flow) -> Vec<ServerId> {
        self.by_stream
            .range((flow, ServerId(0))..=(flow, ServerId(u64::MAX)))
            .map(|(_, id)| *id)
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many refused INVITEs wait for their ACK.
    pub(crate) fn unacknowledged(&self) -> usize {
        let machines = self.all.values().map(|transaction| &transaction.machine);
        machines
            .filter(|machine| matches!(machine, ServerMachine::Invite(invite) if invite.is_unacknowledged()))
            .count()
    }
}
