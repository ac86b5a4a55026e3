//! A DHCP server for tests, as small as one can be.

use core::net::Ipv4Addr;
use std::collections::{BTreeMap, BTreeSet};

use smoltcp::wire::{
    DhcpMessageType, DhcpOption, DhcpPacket, DhcpRepr, EthernetAddress, EthernetFrame,
    EthernetProtocol, Ipv4Packet, UdpPacket,
};

use super::message::{EVERYONE, Mac, udp_frame};

pub const SERVER_MAC: Mac = [2, 0, 0, 0, 0, 0xFE];

/// What a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub word: DhcpMessageType,
    pub xid: u32,
    pub mac: Mac,
    pub own: Ipv4Addr,
    pub requested: Option<Ipv4Addr>,
    pub server: Option<Ipv4Addr>,
    pub host_name: Option<String>,
    pub asked_for: Vec<u8>,
    pub to_mac: Mac,
    pub to: Ipv4Addr,
}

pub struct Server {
    pub address: Ipv4Addr,
    /// The next address that nobody had yet.
    pub next: Ipv4Addr,
    pub lease_s: u32,
    /// Options beyond mask, router and the lease's time.
    pub options: Vec<(u8, Vec<u8>)>,
    /// It hears, and says nothing.
    pub silent: bool,
    /// It says no to every request.
    pub refuses: bool,
    pub given: BTreeMap<Mac, Ipv4Addr>,
    pub declined: BTreeSet<Ipv4Addr>,
    pub heard: Vec<Said>,
}

impl Server {
    pub fn new(network: [u8; 3]) -> Self {
        let [a, b, c] = network;
        Self {
            address: Ipv4Addr::new(a, b, c, 1),
            next: Ipv4Addr::new(a, b, c, 100),
            lease_s: 3600,
            options: vec![(6, vec![a, b, c, 53]), (15, b"example.com".to_vec())],
            silent: false,
            refuses: false,
            given: BTreeMap::new(),
            declined: BTreeSet::new(),
            heard: Vec::new(),
        }
    }

    pub fn handle(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let said = listen(frame)?;
        self.heard.push(said.clone());
        if self.silent {
            return None;
        }
        match said.word {
            DhcpMessageType::Discover => {
                let address = self.address_for(said.mac);
                Some(self.answer(&said, DhcpMessageType::Offer, address))
            }
            DhcpMessageType::Request if said.server.is_none_or(|it| it == self.address) => {
                let wanted = said.requested.unwrap_or(said.own);
                let is_theirs = self.given.get(&said.mac) == Some(&wanted);
                let (word, address) = if is_theirs && !self.refuses {
                    (DhcpMessageType::Ack, wanted)
                } else {
                    (DhcpMessageType::Nak, Ipv4Addr::UNSPECIFIED)
                };
                Some(self.answer(&said, word, address))
            }
            DhcpMessageType::Decline => {
                self.declined.extend(said.requested);
                self.given.remove(&said.mac);
                None
            }
            DhcpMessageType::Release => {
                self.given.remove(&said.mac);
                None
            }
            _ => None,
        }
    }

    fn address_for(&mut self, mac: Mac) -> Ipv4Addr {
        let next = self.next;
        let address = *self.given.entry(mac).or_insert(next);
        if address == next {
            self.next = Ipv4Addr::from_bits(next.to_bits() + 1);
        }
        address
    }

    fn answer(&self, said: &Said, word: DhcpMessageType, address: Ipv4Addr) -> Vec<u8> {
        let gives = word != DhcpMessageType::Nak;
        let options: Vec<DhcpOption<'_>> = self
            .options
            .iter()
            .filter(|_| gives)
            .map(|(kind, data)| DhcpOption { kind: *kind, data })
            .collect();
        let dhcp = DhcpRepr {
            message_type: word,
            transaction_id: said.xid,
            secs: 0,
            client_hardware_address: EthernetAddress(said.mac),
            client_ip: said.own,
            your_ip: address,
            server_ip: Ipv4Addr::UNSPECIFIED,
            router: gives.then_some(self.address),
            subnet_mask: gives.then_some(Ipv4Addr::new(255, 255, 255, 0)),
            relay_agent_ip: Ipv4Addr::UNSPECIFIED,
            broadcast: false,
            requested_ip: None,
            client_identifier: Some(EthernetAddress(said.mac)),
            server_identifier: Some(self.address),
            parameter_request_list: None,
            dns_servers: None,
            max_size: None,
            lease_duration: gives.then_some(self.lease_s),
            renew_duration: None,
            rebind_duration: None,
            additional_options: &options,
        };
        let (to_mac, to) = if gives {
            (said.mac, address)
        } else {
            (EVERYONE, Ipv4Addr::BROADCAST)
        };
        udp_frame(
            (SERVER_MAC, self.address, 67),
            (to_mac, to, 68),
            dhcp.buffer_len(),
            |payload| {
                let mut packet = DhcpPacket::new_unchecked(payload);
                dhcp.emit(&mut packet).expect("the buffer has room");
            },
        )
    }
}

/// What a frame of a client says.
pub fn listen(octets: &[u8]) -> Option<Said> {
    let frame = EthernetFrame::new_checked(octets).ok()?;
    if frame.ethertype() != EthernetProtocol::Ipv4 {
        return None;
    }
    let to_mac = frame.dst_addr().0;
    assert!(to_mac == EVERYONE || to_mac == SERVER_MAC, "{to_mac:?}");
    let ip = Ipv4Packet::new_checked(frame.payload()).expect("an IP packet");
    assert!(ip.verify_checksum());
    let udp = UdpPacket::new_checked(ip.payload()).expect("a datagram");
    assert_eq!((udp.src_port(), udp.dst_port()), (68, 67));
    assert!(udp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
    let packet = DhcpPacket::new_checked(udp.payload()).expect("a message");
    let dhcp = DhcpRepr::parse(&packet).expect("a message of a client");
    assert_eq!(dhcp.client_identifier, Some(dhcp.client_hardware_address));
    assert_eq!(ip.src_addr(), dhcp.client_ip);
    let host_name = packet.options().find(|option| option.kind == 12);
    Some(Said {
        word: dhcp.message_type,
        xid: dhcp.transaction_id,
        mac: dhcp.client_hardware_address.0,
        own: dhcp.client_ip,
        requested: dhcp.requested_ip,
        server: dhcp.server_identifier,
        host_name: host_name.map(|option| String::from_utf8_lossy(option.data).into_owned()),
        asked_for: dhcp.parameter_request_list.unwrap_or_default().to_vec(),
        to_mac,
        to: ip.dst_addr(),
    })
}
