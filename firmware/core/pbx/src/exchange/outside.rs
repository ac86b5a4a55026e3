//! The ways to other networks: whether each is open, calls that leave by it, calls that come by it.
//!
//! ```text
//!  configured ──► the shell looks up where the server is ──► registered, where it has to be ──► ready
//!                    ▲ every five minutes, and where it does not answer: the next address
//! ```

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;

use model::config::{IdentityHeader, Interface, SipServer, Used, WeekTime};
use model::control::{InterfaceCondition, InterfaceState, Notice};
use model::{
    CallId, Cause, ExtensionId, Flow, Instant, InterfaceId, LegId, LegSide, Party, SrtpPolicy,
};
use sip::endpoint::{Credentials, IncomingInvite, Registration, RegistrationId, SessionId, Target};
use sip::message::{HeaderName, Host, NameAddr, SipUri, StatusCode, Uri};

use super::forwarding::forwards;
use super::invite::dialled;
use super::line::refusal;
use super::ringing::{Ring, Way};
use super::{ANONYMOUS, Exchange};
use crate::call::{CallState, Outcome, SIDES};
use crate::directory::Directory;
use crate::leg::Failure;
use crate::leg::negotiation::{Sound, towards};
use crate::route::{Attempt, Moment, Past, Route, route};
use crate::script::Plot;
use crate::security::shown;
use crate::switch::Output;
use model::explain::Caller;

/// How often the shell looks up again where the servers are: providers move within minutes.
const LOOK_UP_AGAIN: Duration = Duration::from_mins(5);

/// How soon where nothing was found.
const LOOK_UP_SOON: Duration = Duration::from_secs(15);

/// How far an interface is.
#[derive(Debug)]
struct Trunk {
    server: SipServer,
    /// Ways to the server, the preferred first.
    flows: Vec<Flow>,
    /// Which is in use.
    at: usize,
    /// How the last try to register ended; none before the first.
    registered: Option<Result<(), Option<StatusCode>>>,
    /// When the shell is to look again.
    look_up: Instant,
}

impl Trunk {
    fn condition(&self) -> InterfaceCondition {
        match self.registered {
            _ if self.flows.is_empty() => InterfaceCondition::NotFound,
            _ if !self.server.register => InterfaceCondition::Ready,
            Some(Ok(())) => InterfaceCondition::Ready,
            Some(Err(status)) => InterfaceCondition::NotRegistered {
                status: status.map(StatusCode::code),
            },
            None => InterfaceCondition::Registering,
        }
    }
}

/// All interfaces that are enabled.
#[derive(Debug, Default)]
pub(super) struct Trunks(BTreeMap<InterfaceId, Trunk>);

impl Trunks {
    /// When something is to be done.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.0.values().map(|trunk| trunk.look_up).min()
    }

    fn flow(&self, id: InterfaceId) -> Option<Flow> {
        let trunk = self.0.get(&id)?;
        trunk.flows.get(trunk.at).copied()
    }

    fn is_ready(&self, id: InterfaceId) -> bool {
        (self.0.get(&id))
            .is_some_and(|trunk| matches!(trunk.condition(), InterfaceCondition::Ready))
    }
}

impl Moment for Exchange {
    fn registered(&self, extension: ExtensionId) -> usize {
        self.endpoint.reachable(extension).count()
    }

    fn is_ready(&self, interface: InterfaceId) -> bool {
        self.trunks.is_ready(interface)
    }

    fn forwarded(&self, by: ExtensionId) -> usize {
        let is_outside =
            |leg: &LegId| (self.legs.get(*leg)).is_some_and(|leg| leg.interface.is_some());
        let own = |call: &&CallState| {
            let called = call.leg(LegSide::Called);
            call.diverted_by == Some(by) && call.ringing.iter().chain(&called).any(is_outside)
        };
        self.calls.values().filter(own).count()
    }

    fn used(&self, by: Option<ExtensionId>) -> Used {
        self.brakes.used(self.now, by)
    }

    fn week_time(&self) -> WeekTime {
        WeekTime::of(self.wall(), self.zone_s)
    }
}

/// The URI of a server, for a user there or for itself.
fn server_uri(server: &SipServer, user: Option<&str>) -> Option<SipUri> {
    let host: Host = server.host.parse().ok()?;
    let uri = SipUri::new(host).with_port(server.port);
    let uri = match user {
        Some(user) => uri.with_user(user),
        None => uri,
    };
    Some(match server.transport {
        model::Transport::Udp => uri,
        model::Transport::Tcp => uri.with_param("transport", "tcp"),
        model::Transport::Tls => uri.with_param("transport", "tls"),
    })
}

/// Why an interface is not registered, and what to do about it.
fn why(refused: Option<StatusCode>) -> String {
    let Some(code) = refused.map(StatusCode::code) else {
        return "its server does not answer; check its address and the way there".to_owned();
    };
    match code {
        401 | 403 | 407 => {
            format!("its server refuses the account (SIP {code}); check user name and password")
        }
        404 => format!("its server does not know the account (SIP {code}); check the user name"),
        _ => format!("its server refuses with SIP {code}; it is tried again by itself"),
    }
}

fn credentials(server: &SipServer) -> Option<Credentials> {
    Some(Credentials {
        username: server.user_id.as_ref().unwrap_or(&server.username).clone(),
        password: server.password.clone()?,
    })
}

/// Interfaces.
impl Exchange {
    /// The interfaces of the configuration in force.
    pub(super) fn configure_interfaces(&mut self) {
        let configured: BTreeMap<InterfaceId, SipServer> =
            (self.directory.configuration().interfaces.iter())
                .filter(|interface| interface.enabled)
                .map(|interface| (interface.id, interface.server.clone()))
                .collect();
        let gone: Vec<InterfaceId> = (self.trunks.0.iter())
            .filter(|(id, trunk)| configured.get(id) != Some(&trunk.server))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.trunks.0.remove(&id);
            self.endpoint.unregister(self.now, RegistrationId(id.raw()));
        }
        for (id, server) in configured {
            self.trunks.0.entry(id).or_insert(Trunk {
                server,
                flows: Vec::new(),
                at: 0,
                registered: None,
                look_up: self.now,
            });
        }
        self.look_up();
        self.trust();
    }

    /// Has the shell look up what is due.
    pub(super) fn look_up(&mut self) {
        for (id, trunk) in &mut self.trunks.0 {
            if trunk.look_up > self.now {
                continue;
            }
            trunk.look_up = self.now + LOOK_UP_AGAIN;
            self.outputs.push_back(Output::LookUp {
                interface: *id,
                host: trunk.server.host.clone(),
                port: trunk.server.port,
                transport: trunk.server.transport,
            });
        }
    }

    /// The shell has found where a server is.
    pub(crate) fn looked_up(&mut self, id: InterfaceId, flows: Vec<Flow>) {
        let Some(trunk) = self.trunks.0.get_mut(&id) else {
            return;
        };
        if flows.is_empty() {
            // What was known stays: a name server that is away for a moment stops no calls.
            trunk.look_up = trunk.look_up.min(self.now + LOOK_UP_SOON);
            return;
        }
        let before = trunk.flows.get(trunk.at).copied();
        trunk.at =
            (before.and_then(|flow| flows.iter().position(|known| *known == flow))).unwrap_or(0);
        trunk.flows = flows;
        self.trust();
        self.register(id);
        self.tell_of_interface(id);
    }

    /// Calls from the servers need no digest.
    fn trust(&mut self) {
        let addresses: Vec<IpAddr> = (self.trunks.0.values())
            .flat_map(|trunk| &trunk.flows)
            .map(|flow| flow.remote.ip())
            .collect();
        self.endpoint.set_trusted(addresses);
    }

    fn register(&mut self, id: InterfaceId) {
        let Some(flow) = self.trunks.flow(id) else {
            return;
        };
        let Some(trunk) = self.trunks.0.get(&id).filter(|trunk| trunk.server.register) else {
            return;
        };
        let server = &trunk.server;
        let Some(uri) = server_uri(server, None) else {
            return;
        };
        let registration = Registration {
            target: Target {
                uri: uri.into(),
                route: Vec::new(),
                flow,
            },
            user: server.username.clone(),
            contact_host: server.external_address.map(Host::from),
            credentials: credentials(server),
        };
        self.endpoint
            .register(self.now, RegistrationId(id.raw()), registration);
    }

    /// A server has taken our registration.
    pub(super) fn registered_outside(&mut self, id: RegistrationId) {
        let id = InterfaceId::new(id.0);
        let before =
            (self.trunks.0.get_mut(&id)).and_then(|trunk| trunk.registered.replace(Ok(())));
        if matches!(before, Some(Err(_))) {
            self.warn_of_interface(id, "is registered again");
        }
        self.tell_of_interface(id);
    }

    /// A server has not taken our registration: where it has another address, that is tried.
    pub(super) fn not_registered_outside(
        &mut self,
        id: RegistrationId,
        status: Option<StatusCode>,
    ) {
        let id = InterfaceId::new(id.0);
        let Some(trunk) = self.trunks.0.get_mut(&id) else {
            return;
        };
        let before = trunk.registered.replace(Err(status));
        let is_away = status.is_none_or(|status| status.class() == 5);
        if is_away && trunk.flows.len() > 1 {
            trunk.at = (trunk.at + 1) % trunk.flows.len();
            self.register(id);
        }
        if !matches!(before, Some(Err(_))) {
            self.warn_of_interface(id, &format!("is not registered: {}", why(status)));
        }
        self.tell_of_interface(id);
    }

    /// A row for the administrator, once for each change.
    fn warn_of_interface(&mut self, id: InterfaceId, what: &str) {
        if let Some(interface) = self.directory.interface(id) {
            let row = format!("Interface {} {what}", interface.name);
            self.outputs.push_back(Output::Warning(row));
        }
    }

    /// All interfaces that are enabled, by id.
    pub(crate) fn interfaces(&self) -> Vec<InterfaceState> {
        self.trunks
            .0
            .keys()
            .map(|id| self.interface_state(*id))
            .collect()
    }

    fn interface_state(&self, id: InterfaceId) -> InterfaceState {
        let trunk = self.trunks.0.get(&id);
        let name = self
            .directory
            .interface(id)
            .map(|interface| interface.name.as_str());
        let legs = self
            .calls
            .values()
            .flat_map(|call| SIDES.map(|side| call.leg(side)));
        let calls = (legs.filter_map(|leg| self.legs.get(leg?)))
            .filter(|leg| leg.interface.is_some() && leg.interface.as_deref() == name)
            .count();
        InterfaceState {
            interface: id,
            condition: trunk.map_or(InterfaceCondition::NotFound, Trunk::condition),
            address: self.trunks.flow(id).map(|flow| flow.remote.to_string()),
            calls: u32::try_from(calls).unwrap_or(u32::MAX),
        }
    }

    /// For those who watch.
    fn tell_of_interface(&mut self, id: InterfaceId) {
        if self.trunks.0.contains_key(&id) {
            let interface = self.interface_state(id);
            self.notice(Notice::Interface { interface });
        }
    }
}

/// Calls.
impl Exchange {
    /// What a number leads to now.
    pub(crate) fn route(&self, origin: Caller, dialled: &str, past: Past) -> Route {
        route(&self.directory, self, origin, dialled, past)
    }

    /// Begins a call to the outside.
    pub(crate) fn start_leaving(&mut self, call: CallId, attempt: &Attempt) -> Result<(), Failure> {
        let down = Failure::of_cause(Cause::NETWORK_OUT_OF_ORDER);
        let flow = self.trunks.flow(attempt.interface).ok_or(down)?;
        let interface = (self.directory.interface(attempt.interface)).ok_or(down)?;
        let server = &interface.server;
        let uri = server_uri(server, Some(&attempt.called)).ok_or(down)?;
        let home = server_uri(server, None).ok_or(down)?;
        let identity = Identity::new(server, attempt, &home).ok_or(down)?;
        let way = Way {
            target: Target {
                uri: uri.into(),
                route: Vec::new(),
                flow,
            },
            user_agent: None,
            credentials: credentials(server),
            from_host: Some(identity.host),
            interface: Some(interface.name.as_str().into()),
            charge: attempt.charge,
        };
        let relaxed = self.calls.get(&call).is_some_and(|state| state.relaxed);
        let srtp = if relaxed {
            SrtpPolicy::Offered
        } else {
            interface.srtp
        };
        let codecs = interface.codecs.clone();
        let party = Party {
            number: attempt.called.clone(),
            name: None,
            extension: None,
        };
        let name = interface.name.as_str().into();
        let state = self.calls.get_mut(&call).ok_or(down)?;
        state.called = Some(party.clone());
        if let Some(diversion) = attempt.diversion {
            state.diverted_by = Some(diversion.by);
        }
        state.shown_outside = Some(if attempt.hidden {
            String::new()
        } else {
            attempt.calling.clone()
        });
        state.tried = Some((name, flow.remote.to_string()));
        let caller = state.leg(LegSide::Caller).ok_or(down)?;
        let port = self.ports_for(caller)?;
        let ring = Ring {
            call,
            caller: Party {
                number: identity.user,
                name: identity.name,
                extension: None,
            },
            party,
            offered: towards(&codecs, &self.spoken(caller)),
            codecs,
            srtp,
            headers: identity.headers,
            port,
            seed: self.chance.next(),
        };
        self.ring(&ring, vec![way])
    }

    /// Whether anything came back from those who are called.
    pub(crate) fn is_heard_of(&self, call: CallId) -> bool {
        let ringing = self
            .calls
            .get(&call)
            .map_or(&[][..], |state| &state.ringing);
        (ringing.iter())
            .filter_map(|leg| self.legs.get(*leg))
            .any(|leg| leg.rang || self.endpoint.is_heard_of(leg.session))
    }

    /// Whether anybody rings who is called.
    pub(crate) fn has_rung(&self, call: CallId) -> bool {
        let state = self.calls.get(&call);
        (state.into_iter().flat_map(|state| &state.ringing))
            .any(|leg| self.legs.get(*leg).is_some_and(|leg| leg.rang))
    }

    /// A server did not answer a call: the next one goes to its next address.
    pub(crate) fn was_silent(&mut self, id: InterfaceId) {
        if let Some(trunk) = self.trunks.0.get_mut(&id)
            && trunk.flows.len() > 1
        {
            trunk.at = (trunk.at + 1) % trunk.flows.len();
            self.register(id);
        }
    }

    /// An INVITE came from somebody who is no phone of ours.
    pub(super) fn invited_from_outside(&mut self, session: SessionId, invite: &IncomingInvite) {
        let Some(interface) = self.interface_of(invite) else {
            // A stranger: only interfaces call without an account.
            let failure = Failure::new(StatusCode::FORBIDDEN, Cause::CALL_REJECTED);
            self.endpoint.refuse(self.now, session, refusal(&failure));
            return;
        };
        let called = called_number(&self.directory, interface, invite);
        let party = calling_party(interface, invite);
        let (id, name) = (interface.id, interface.name.as_str().into());
        let sound = Sound {
            codecs: interface.codecs.clone(),
            srtp: interface.srtp,
        };
        self.controller.call_admitted(self.now);
        self.admit();
        let refused = if invite.replaces.is_some() {
            // Replaces is for our own phones: nobody outside takes over a call.
            Some(Failure::of_cause(Cause::CALL_REJECTED))
        } else {
            self.overloaded(None)
        };
        let call_id = self.next_call_id();
        let mut call = CallState::new(call_id, self.now, party.clone(), called);
        call.origin = Some(Caller::Interface(id));
        call.past.forwards = forwards(invite);
        let (leg, offer) = self.incoming_leg(call_id, session, invite, sound, Some(name), party);
        call.caller_half.leg = Some(leg);
        let refused = refused.or(offer.err());
        self.open_call(call, Plot::Dial);
        if let Some(failure) = refused {
            self.doom(call_id, Outcome::failed(failure));
        }
    }

    /// By which interface an INVITE came: that whose server is at its address; of several the one
    /// whose account or number it names.
    fn interface_of(&self, invite: &IncomingInvite) -> Option<&Interface> {
        let at = |address: SocketAddr| {
            (self.trunks.0.iter())
                .filter(move |(_, trunk)| {
                    (trunk.flows.iter()).any(|flow| flow.remote.ip() == address.ip())
                })
                .filter_map(|(id, _)| self.directory.interface(*id))
        };
        let asked = dialled(&invite.request_uri);
        let to = dialled(&invite.to.uri);
        let has = |interface: &&Interface| {
            let is_its = |number| self.directory.mapping(interface, number).is_some();
            is_its(&asked) || is_its(&to)
        };
        let remote = invite.flow.remote;
        at(remote)
            .find(has)
            .or_else(|| at(remote).find(|interface| interface.server.username == asked))
            .or_else(|| at(remote).next())
    }
}

/// How a call that leaves says who calls.
struct Identity {
    /// The parts of From.
    name: Option<String>,
    user: String,
    host: Host,
    /// What else says it.
    headers: Vec<(HeaderName, String)>,
}

impl Identity {
    /// Who hides its number is nobody in From, and known to those alone whom we tell it in another header:
    /// they keep it to themselves (RFC 3323 §4.1.1.3, RFC 3325 §7).
    fn new(server: &SipServer, attempt: &Attempt, home: &SipUri) -> Option<Self> {
        let address = NameAddr::new(home.clone().with_user(&attempt.calling)).to_string();
        let mut headers = match server.identity {
            IdentityHeader::From => Vec::new(),
            IdentityHeader::AssertedIdentity => vec![(HeaderName::PAssertedIdentity, address)],
            IdentityHeader::RemotePartyId => {
                let privacy = if attempt.hidden { "full" } else { "off" };
                let value = format!("{address};party=calling;screen=yes;privacy={privacy}");
                vec![(HeaderName::RemotePartyId, value)]
            }
        };
        // Whom the number is kept from sees it nowhere else either.
        let keeps = server.identity != IdentityHeader::From;
        if let Some(diversion) = attempt.diversion
            && (keeps || !attempt.hidden)
        {
            let address = NameAddr::new(home.clone().with_user(&attempt.calling));
            let privacy = if attempt.hidden { "full" } else { "off" };
            let (reason, counter) = (diversion.reason(), diversion.counter);
            let value = format!("{address};reason={reason};counter={counter};privacy={privacy}");
            headers.push((HeaderName::Diversion, value));
        }
        if attempt.hidden {
            headers.push((HeaderName::Privacy, "id".into()));
            return Some(Self {
                name: Some("Anonymous".into()),
                user: ANONYMOUS.into(),
                host: "anonymous.invalid".parse().ok()?,
                headers,
            });
        }
        Some(Self {
            name: None,
            user: match server.identity {
                IdentityHeader::From => attempt.calling.clone(),
                IdentityHeader::AssertedIdentity | IdentityHeader::RemotePartyId => {
                    server.username.clone()
                }
            },
            host: home.host.clone(),
            headers,
        })
    }
}

/// The external number that was called. A server that knows us by a registration may put our account
/// into the Request-URI, and the number into To.
fn called_number(directory: &Directory, interface: &Interface, invite: &IncomingInvite) -> String {
    let asked = dialled(&invite.request_uri);
    let to = dialled(&invite.to.uri);
    let has = |number: &str| directory.mapping(interface, number).is_some();
    if !has(&asked) && (has(&to) || asked == interface.server.username) && !to.is_empty() {
        to
    } else {
        asked
    }
}

/// Who calls: what the network vouches for (RFC 3325) before what the caller says; rewritten so that it
/// can be dialled back.
fn calling_party(interface: &Interface, invite: &IncomingInvite) -> Party {
    let headers = &invite.request.headers;
    let asserted = headers.asserted_identities().ok().unwrap_or_default();
    let remote = headers.remote_party_ids().ok().unwrap_or_default();
    let address =
        (asserted.into_iter().chain(remote).next()).unwrap_or_else(|| invite.from.clone());
    let hidden = headers
        .privacy()
        .is_ok_and(|privacy| privacy.hides_identity())
        || is_anonymous(&invite.from.uri);
    if hidden {
        return Party {
            number: String::new(),
            name: None,
            extension: None,
        };
    }
    let number = dialled(&address.uri);
    let is_number = number.parse::<model::Number>().is_ok();
    Party {
        number: if is_number {
            interface.incoming.calling.apply(&number)
        } else {
            number
        },
        name: (address.display.or_else(|| invite.from.display.clone())).map(|name| shown(&name)),
        extension: None,
    }
}

/// RFC 3323 §4.1.1.3.
fn is_anonymous(uri: &Uri) -> bool {
    uri.user()
        .is_some_and(|user| user.eq_ignore_ascii_case(ANONYMOUS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_registered_says_what_to_do() {
        let told = |code: Option<u16>| why(code.and_then(StatusCode::new));
        assert!(told(None).contains("check its address"));
        for code in [401, 403, 407] {
            assert!(told(Some(code)).contains("check user name and password"));
        }
        assert!(told(Some(404)).contains("check the user name"));
        assert!(told(Some(503)).contains("SIP 503; it is tried again by itself"));
    }
}
