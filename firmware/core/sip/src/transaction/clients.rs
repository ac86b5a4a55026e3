//! The client transactions under way, and which of them a response belongs to (RFC 3261 §17.1.3).
//!
//! Our branches end in the number of their transaction, so that finding it takes no text map; the
//! rest of the branch is chance and has to be right. A CANCEL shares the branch of its INVITE.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use model::Flow;

use super::{Actions, Client, ClientEvent, ClientId, InviteClient, key};
use crate::endpoint::{IdMap, TimerHandle};
use crate::message::{Method, Request};

/// Either machine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClientMachine {
    /// INVITE.
    Invite(InviteClient),
    /// Any other.
    Other(Client),
}

/// A request of ours until nothing more can come for it.
#[derive(Debug)]
pub(crate) struct ClientTransaction<U> {
    /// The state.
    pub(crate) machine: ClientMachine,
    /// Who sent it, and what for.
    pub(crate) user: U,
    /// The way it went.
    pub(crate) flow: Flow,
    /// As it was sent.
    pub(crate) wire: Bytes,
    /// The INVITE, for the ACK and CANCEL that repeat its fields.
    pub(crate) invite: Option<Arc<Request>>,
    /// The ACK for a refusal, once made.
    pub(crate) ack: Option<Bytes>,
    /// The two timers of the machine.
    pub(crate) timers: [Option<TimerHandle>; 2],
    /// The CANCEL for this INVITE.
    pub(crate) cancel: Option<ClientId>,
    branch: Box<str>,
    method: Method,
}

impl<U> ClientTransaction<U> {
    /// Takes an event.
    pub(crate) fn on(&mut self, event: ClientEvent) -> Actions {
        match &mut self.machine {
            ClientMachine::Invite(machine) => machine.on(event),
            ClientMachine::Other(machine) => machine.on(event),
        }
    }

    /// True for an INVITE that has a provisional answer and no final one.
    pub(crate) const fn is_proceeding_invite(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.is_proceeding(),
            ClientMachine::Other(_) => false,
        }
    }

    /// True while no answer of any kind has come.
    pub(crate) const fn is_silent(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.is_calling(),
            ClientMachine::Other(machine) => machine.is_trying(),
        }
    }

    /// True until a final answer came or none can come.
    const fn is_unanswered(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.is_unanswered(),
            ClientMachine::Other(machine) => machine.is_unanswered(),
        }
    }

    /// The branch of its Via.
    pub(crate) fn branch(&self) -> &str {
        &self.branch
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Clients<U> {
    all: IdMap<ClientId, ClientTransaction<U>>,
    by_flow: BTreeSet<(Flow, ClientId)>,
    last: u64,
}

impl<U> Clients<U> {
    pub(crate) fn new() -> Self {
        Self {
            all: IdMap::default(),
            by_flow: BTreeSet::new(),
            last: 0,
        }
    }

    /// The number of the next transaction, for its branch.
    pub(crate) fn next_id(&mut self) -> ClientId {
        self.last += 1;
        ClientId(self.last)
    }

    /// Adds a transaction; what it has to do first comes back.
    pub(crate) fn add(
        &mut self,
        id: ClientId,
        branch: Box<str>,
        flow: Flow,
        request: Request,
        wire: Bytes,
        user: U,
    ) -> Actions {
        let reliable = flow.transport.is_stream();
        let method = request.method.clone();
        let (machine, actions) = if method == Method::Invite {
            let (machine, actions) = InviteClient::start(reliable);
            (ClientMachine::Invite(machine), actions)
        } else {
            let (machine, actions) = Client::start(reliable);
            (ClientMachine::Other(machine), actions)
        };
        let transaction = ClientTransaction {
            machine,
            user,
            flow,
            wire,
            invite: (method == Method::Invite).then(|| Arc::new(request)),
            ack: None,
            timers: [None, None],
            cancel: None,
            branch,
            method,
        };
        self.all.insert(id, transaction);
        self.by_flow.insert((flow, id));
        actions
    }

    /// The transaction a response with this branch and `CSeq` method is for.
    pub(crate) fn matching(&self, branch: &str, method: &Method) -> Option<ClientId> {
        let id = ClientId(key::number_in(branch)?);
        let transaction = self.all.get(&id)?;
        if !branch.eq_ignore_ascii_case(&transaction.branch) {
            return None;
        }
        match (&transaction.method, method) {
            (Method::Invite, Method::Cancel) => transaction.cancel,
            (own, asked) if own == asked => Some(id),
            (_, _) => None,
        }
    }

    pub(crate) fn get(&self, id: ClientId) -> Option<&ClientTransaction<U>> {
        self.all.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ClientId) -> Option<&mut ClientTransaction<U>> {
        self.all.get_mut(&id)
    }

    /// What follows goes by this way.
    pub(crate) fn move_to(&mut self, id: ClientId, flow: Flow) {
        if let Some(transaction) = self.all.get_mut(&id) {
            self.by_flow.remove(&(transaction.flow, id));
            transaction.flow = flow;
            self.by_flow.insert((flow, id));
        }
    }

    /// Forgets one.
    pub(crate) fn remove(&mut self, id: ClientId) -> Option<ClientTransaction<U>> {
        let gone = self.all.remove(&id)?;
        self.by_flow.remove(&(gone.flow, id));
        Some(gone)
    }

    /// Those that went by a flow, in order of sending.
    pub(crate) fn on_flow(&self, flow: Flow) -> Vec<ClientId> {
        self.by_flow
            .range((flow, ClientId(0))..=(flow, ClientId(u64::MAX)))
            .map(|(_, id)| *id)
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many have no final answer.
    pub(crate) fn unanswered(&self) -> usize {
        (self.all.values())
            .filter(|transaction| transaction.is_unanswered())
            .count()
    }
}
