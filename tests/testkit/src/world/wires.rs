//! Bytes on their way: what was sent, when it arrives, and where.

use core::cmp::Ordering;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use model::{Flow, Instant, Transport};
use sip::endpoint::Input;

use super::exchange::Rtp;
use super::{EXCHANGE, Line, PhoneId, SIP_PORT, World};

/// Something that arrives.
#[derive(Clone, Debug)]
pub(super) enum Delivery {
    /// At the exchange's SIP sockets.
    Sip(Input),
    /// At an RTP or RTCP socket of the exchange.
    Rtp {
        /// UDP port.
        to: u16,
        /// From where.
        source: SocketAddr,
        /// The packet.
        octets: Vec<u8>,
    },
    /// A datagram at a phone's port.
    Phone {
        /// Which.
        phone: PhoneId,
        /// Its port.
        port: u16,
        /// The datagram.
        octets: Vec<u8>,
    },
    /// Bytes at a phone's end of a connection.
    PhoneStream {
        /// Which.
        phone: PhoneId,
        /// The bytes.
        octets: Vec<u8>,
    },
}

/// A delivery and its time.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) at: Instant,
    order: u64,
    pub(super) delivery: Delivery,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first: the earliest is wanted.
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// How far a NAT shifts port numbers.
const NAT_SHIFT: u16 = 10_000;

impl World {
    fn post(&mut self, at: Instant, delivery: Delivery) {
        self.posted += 1;
        self.due.push(Due {
            at,
            order: self.posted,
            delivery,
        });
    }

    pub(super) fn local() -> SocketAddr {
        SocketAddr::from((EXCHANGE, SIP_PORT))
    }

    /// How the exchange sees a port of a phone.
    pub(super) fn seen(&self, id: PhoneId, port: u16) -> SocketAddr {
        match self.places[id.0].nat {
            Some(public) => SocketAddr::new(public, port.wrapping_add(NAT_SHIFT)),
            None => SocketAddr::new(self.phones[id.0].ip(), port),
        }
    }

    /// Which port of which phone an address is, if any.
    fn phone_at(&self, address: SocketAddr) -> Option<(PhoneId, u16)> {
        let id = *self.outside.get(&address.ip())?;
        let place = &self.places[id.0];
        if place.nat.is_none() {
            return Some((id, address.port()));
        }
        let port = address.port().wrapping_sub(NAT_SHIFT);
        place.holes.contains(&port).then_some((id, port))
    }

    pub(super) fn phone_sends(&mut self, id: PhoneId, octets: &[u8]) {
        let name = self.phones[id.0].name.clone();
        let port = self.phones[id.0].address.port();
        if self.phones[id.0].profile.transport.is_stream() {
            self.tape.sent(self.now, &name, "box", octets, true);
            self.stream_up(id, octets);
            return;
        }
        self.places[id.0].holes.insert(port);
        let fate = self.places[id.0].network.up.fate(&mut self.chance);
        self.tape
            .sent(self.now, &name, "box", octets, !fate.is_empty());
        let flow = Flow {
            transport: Transport::Udp,
            local: Self::local(),
            remote: self.seen(id, port),
        };
        for delay in fate {
            let bytes = octets.to_vec().into();
            self.post(
                self.now + delay,
                Delivery::Sip(Input::Datagram { flow, bytes }),
            );
        }
    }

    /// A phone's bytes on its connection, cut anywhere.
    fn stream_up(&mut self, id: PhoneId, octets: &[u8]) {
        let link = self.places[id.0].network.up;
        if link.cut {
            return;
        }
        let fresh = self.places[id.0].stream.is_none();
        let flow = self.stream_of(id);
        let delay = Duration::from_micros(link.delay_us);
        let mut at = (self.now + delay).max(self.places[id.0].last_up);
        if fresh {
            self.post(at, Delivery::Sip(Input::StreamOpened { flow }));
        }
        for chunk in self.pieces(octets) {
            at += Duration::from_micros(self.chance.below(2000));
            let bytes = chunk.into();
            self.post(at, Delivery::Sip(Input::StreamData { flow, bytes }));
        }
        self.places[id.0].last_up = at;
    }

    /// The connection of a phone, opened where there is none.
    fn stream_of(&mut self, id: PhoneId) -> Flow {
        let seen = match self.places[id.0].stream {
            Some(seen) => seen,
            None => {
                let port = self.places[id.0].next_ephemeral;
                self.places[id.0].next_ephemeral += 1;
                self.places[id.0].holes.insert(port);
                let seen = self.seen(id, port);
                self.places[id.0].stream = Some(seen);
                seen
            }
        };
        Flow {
            transport: self.phones[id.0].profile.transport,
            local: Self::local(),
            remote: seen,
        }
    }

    /// Pieces of 1 to 400 octets.
    fn pieces(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        let mut rest = octets;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let length = (1 + self.chance.below(400) as usize).min(rest.len());
            let (piece, tail) = rest.split_at(length);
            pieces.push(piece.to_vec());
            rest = tail;
        }
        pieces
    }

    /// The connection of a phone breaks.
    pub fn break_stream(&mut self, id: PhoneId) {
        if self.places[id.0].stream.is_some() {
            let flow = self.stream_of(id);
            self.places[id.0].stream = None;
            let at = (self.now + Duration::from_millis(1)).max(self.places[id.0].last_up);
            self.post(at, Delivery::Sip(Input::StreamClosed { flow }));
        }
    }

    pub(super) fn exchange_closes(&mut self, flow: Flow) {
        self.tape
            .note(self.now, format!("connection to {} closed", flow.remote));
        match self.outside.get(&flow.remote.ip()).copied() {
            Some(id) if self.places[id.0].stream == Some(flow.remote) => {
                self.places[id.0].stream = None;
            }
            Some(_) => {}
            None => self.turned_away.push(flow.remote),
        }
    }

    pub(super) fn exchange_sends(&mut self, flow: Flow, octets: Vec<u8>) {
        if flow.local != Self::local() {
            self.broken(&format!("a message leaves from {}", flow.local));
        }
        let Some((id, port)) = self.phone_at(flow.remote) else {
            self.tape
                .sent(self.now, "box", &flow.remote.to_string(), &octets, true);
            self.strays.push((flow.remote, octets));
            return;
        };
        let name = self.phones[id.0].name.clone();
        if flow.transport.is_stream() {
            self.stream_down(id, flow, &octets);
            return;
        }
        let fate = self.places[id.0].network.down.fate(&mut self.chance);
        let open = self.phones[id.0].on && self.phones[id.0].address.port() == port;
        self.tape
            .sent(self.now, "box", &name, &octets, open && !fate.is_empty());
        if !open && self.icmp {
            let at = self.now + Duration::from_millis(2);
            self.post(at, Delivery::Sip(Input::SendFailed { flow }));
            return;
        }
        for delay in fate {
            let octets = octets.clone();
            self.post(
                self.now + delay,
                Delivery::Phone {
                    phone: id,
                    port,
                    octets,
                },
            );
        }
    }

    fn stream_down(&mut self, id: PhoneId, flow: Flow, octets: &[u8]) {
        let name = self.phones[id.0].name.clone();
        let link = self.places[id.0].network.down;
        let up = self.places[id.0].stream == Some(flow.remote) && self.phones[id.0].on;
        self.tape
            .sent(self.now, "box", &name, octets, up && !link.cut);
        let at = self.now + Duration::from_micros(link.delay_us);
        if !up {
            // The shell would try to connect, in vain: phones listen on no port.
            self.post(at, Delivery::Sip(Input::StreamClosed { flow }));
            return;
        }
        if link.cut {
            return;
        }
        let mut at = at.max(self.places[id.0].last_down);
        for octets in self.pieces(octets) {
            at += Duration::from_micros(self.chance.below(2000));
            self.post(at, Delivery::PhoneStream { phone: id, octets });
        }
        self.places[id.0].last_down = at;
    }

    pub(super) fn phone_speaks(&mut self, id: PhoneId, from: u16, to: SocketAddr, octets: &[u8]) {
        self.tape.mix(self.now, octets);
        self.places[id.0].holes.insert(from);
        if to.ip() != IpAddr::from(EXCHANGE) {
            self.broken(&format!("a phone was told to send RTP to {to}"));
        }
        let source = self.seen(id, from);
        for delay in self.places[id.0].network.up.fate(&mut self.chance) {
            let (to, octets) = (to.port(), octets.to_vec());
            self.post(self.now + delay, Delivery::Rtp { to, source, octets });
        }
    }

    pub(super) fn send_rtp(&mut self, packets: Vec<Rtp>) {
        for (_, to, octets) in packets {
            self.tape.mix(self.now, &octets);
            let Some((id, port)) = self.phone_at(to) else {
                continue;
            };
            for delay in self.places[id.0].network.down.fate(&mut self.chance) {
                let octets = octets.clone();
                self.post(
                    self.now + delay,
                    Delivery::Phone {
                        phone: id,
                        port,
                        octets,
                    },
                );
            }
        }
    }

    pub(super) fn arrive(&mut self, delivery: Delivery) {
        let now = self.now;
        match delivery {
            Delivery::Sip(input) => self.tell(pbx::Input::Sip(input)),
            Delivery::Rtp {
                to,
                source,
                mut octets,
            } => {
                let packets = self.exchange.packet(now, to, source, &mut octets);
                self.send_rtp(packets);
                self.media_events();
            }
            Delivery::Phone {
                phone,
                port,
                octets,
            } => {
                let at = &mut self.phones[phone.0];
                if port == at.address.port() {
                    at.receive(now, &octets);
                } else if port % 2 == 0 {
                    at.rtp(now, port, &octets);
                }
                self.flush(phone);
            }
            Delivery::PhoneStream { phone, octets } => {
                self.phones[phone.0].stream(now, &octets);
                self.flush(phone);
            }
        }
    }

    /// A datagram from anywhere comes to the SIP socket.
    pub fn inject(&mut self, remote: SocketAddr, octets: &[u8]) {
        self.tape
            .sent(self.now, &remote.to_string(), "box", octets, true);
        let flow = Flow {
            transport: Transport::Udp,
            local: Self::local(),
            remote,
        };
        let bytes = octets.to_vec().into();
        self.tell(pbx::Input::Sip(Input::Datagram { flow, bytes }));
    }

    /// Somebody connects over TCP, says this, and waits.
    pub fn connect(&mut self, remote: SocketAddr, octets: &[u8]) {
        let flow = Flow {
            transport: Transport::Tcp,
            local: Self::local(),
            remote,
        };
        self.tell(pbx::Input::Sip(Input::StreamOpened { flow }));
        if !octets.is_empty() {
            let bytes = octets.to_vec().into();
            self.tell(pbx::Input::Sip(Input::StreamData { flow, bytes }));
        }
    }

    /// A packet from anywhere comes to the RTP port that a phone's call speaks to.
    pub fn inject_rtp(&mut self, source: SocketAddr, line: impl Into<Line>, octets: &[u8]) {
        let line = line.into();
        let Some(remote) = self.call(line).remote.clone() else {
            self.broken("the call has no media yet");
        };
        let mut octets = octets.to_vec();
        let packets = self
            .exchange
            .packet(self.now, remote.address.port(), source, &mut octets);
        self.send_rtp(packets);
        self.media_events();
    }
}
