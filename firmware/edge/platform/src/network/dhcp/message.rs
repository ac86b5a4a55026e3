//! DHCP messages and ARP packets in Ethernet frames (RFC 2131 §2, RFC 2132, RFC 5227 §2.1.1).

use core::net::Ipv4Addr;

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, DHCP_CLIENT_PORT, DHCP_SERVER_PORT, DhcpMessageType,
    DhcpOption, DhcpPacket, DhcpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr, IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};

/// A hardware address.
pub type Mac = [u8; 6];

/// Every station of the network.
pub const EVERYONE: Mac = [0xFF; 6];

/// Old servers and relays refuse less: the length of a BOOTP message (RFC 1542 §2.1).
const SHORTEST: usize = 300;

/// What we can take, so that servers leave nothing out: the payload of an Ethernet frame.
const LONGEST: u16 = 1500;

/// What we ask for: mask, router, name servers, host name, domain name, lease, T1, T2.
const ASKED_FOR: [u8; 8] = [1, 3, 6, 12, 15, 51, 58, 59];

/// The longest domain name we take over (RFC 1035 §2.3.4).
const DOMAIN: usize = 253;

/// The most name servers we take over; the C library asks no more.
const NAME_SERVERS: usize = 3;

/// What a client says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Who has an address for me?
    Discover,
    /// I want this one, or want to keep it.
    Request,
    /// Somebody else has it.
    Decline,
    /// I no longer need it.
    Release,
}

/// A message of a client.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// What it says.
    pub word: Word,
    /// Which exchange it belongs to.
    pub xid: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// Whose it is.
    pub mac: Mac,
    /// The address it has, where it may use it (`ciaddr`).
    pub own: Option<Ipv4Addr>,
    /// The address it asks for (option 50).
    pub requested: Option<Ipv4Addr>,
    /// The server it means (option 54).
    pub server: Option<Ipv4Addr>,
    /// Where it goes, where not to everyone.
    pub to: Option<(Mac, Ipv4Addr)>,
    /// The name of the machine, one label.
    pub host_name: &'a str,
}

/// What a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// You could have this.
    Offer,
    /// It is yours.
    Ack,
    /// No.
    Nak,
}

/// A message of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it answers.
    pub answer: Answer,
    /// Which exchange it belongs to.
    pub xid: u32,
    /// Who sent the frame: the server itself or the router to it.
    pub from: Mac,
    /// Which server (option 54).
    pub server: Option<Ipv4Addr>,
    /// The address (`yiaddr`).
    pub address: Ipv4Addr,
    /// Option 1.
    pub mask: Option<Ipv4Addr>,
    /// The first of option 3.
    pub router: Option<Ipv4Addr>,
    /// Option 6.
    pub dns: Vec<Ipv4Addr>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 51.
    pub lease_s: Option<u32>,
    /// Option 58.
    pub t1_s: Option<u32>,
    /// Option 59.
    pub t2_s: Option<u32>,
}

/// What a frame holds that a client cares for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A message of a server to this client.
    Reply(Reply),
    /// A station says which address it has, or asks for one.
    Arp {
        /// Who.
        mac: Mac,
        /// Its address; 0.0.0.0 where it has none yet.
        own: Ipv4Addr,
        /// The address it asks for.
        target: Ipv4Addr,
    },
}

/// The frame of a message.
pub fn frame(message: &Message<'_>) -> Vec<u8> {
    let host_name = DhcpOption {
        kind: 12,
        data: message.host_name.as_bytes(),
    };
    // RFC 2131 §4.4.1, table 5: what is released or declined is neither named nor asked for.
    let asks = matches!(message.word, Word::Discover | Word::Request);
    let options = [host_name];
    let dhcp = DhcpRepr {
        message_type: match message.word {
            Word::Discover => DhcpMessageType::Discover,
            Word::Request => DhcpMessageType::Request,
            Word::Decline => DhcpMessageType::Decline,
            Word::Release => DhcpMessageType::Release,
        },
        transaction_id: message.xid,
        secs: message.secs,
        client_hardware_address: EthernetAddress(message.mac),
        client_ip: message.own.unwrap_or(Ipv4Addr::UNSPECIFIED),
        your_ip: Ipv4Addr::UNSPECIFIED,
        server_ip: Ipv4Addr::UNSPECIFIED,
        router: None,
        subnet_mask: None,
        relay_agent_ip: Ipv4Addr::UNSPECIFIED,
        // Frames to our hardware address are heard before we have an IP address.
        broadcast: false,
        requested_ip: message.requested,
        client_identifier: Some(EthernetAddress(message.mac)),
        server_identifier: message.server,
        parameter_request_list: asks.then_some(&ASKED_FOR),
        dns_servers: None,
        max_size: asks.then_some(LONGEST),
        lease_duration: None,
        renew_duration: None,
        rebind_duration: None,
        additional_options: if asks && !message.host_name.is_empty() {
            &options
        } else {
            &[]
        },
    };
    let (to_mac, to) = message.to.unwrap_or((EVERYONE, Ipv4Addr::BROADCAST));
    let from = match message.word {
        // What somebody else has is nobody's to send from.
        Word::Discover | Word::Decline => Ipv4Addr::UNSPECIFIED,
        Word::Request | Word::Release => message.own.unwrap_or(Ipv4Addr::UNSPECIFIED),
    };
    udp_frame(
        (message.mac, from, DHCP_CLIENT_PORT),
        (to_mac, to, DHCP_SERVER_PORT),
        dhcp.buffer_len().max(SHORTEST),
        |payload| {
            let mut packet = DhcpPacket::new_unchecked(payload);
            dhcp.emit(&mut packet).expect("the buffer has room");
        },
    )
}

/// An Ethernet frame with a UDP datagram in it.
pub(super) fn udp_frame(
    (from_mac, from, from_port): (Mac, Ipv4Addr, u16),
    (to_mac, to, to_port): (Mac, Ipv4Addr, u16),
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Vec<u8> {
    let checksums = ChecksumCapabilities::default();
    let udp = UdpRepr {
        src_port: from_port,
        dst_port: to_port,
    };
    let ip = Ipv4Repr {
        src_addr: from,
        dst_addr: to,
        next_header: IpProtocol::Udp,
        payload_len: udp.header_len() + length,
        hop_limit: 64,
    };
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress(from_mac),
        dst_addr: EthernetAddress(to_mac),
        ethertype: EthernetProtocol::Ipv4,
    };
    let mut octets = vec![0; ethernet.buffer_len() + ip.buffer_len() + ip.payload_len];
    let mut frame = EthernetFrame::new_unchecked(&mut octets[..]);
    ethernet.emit(&mut frame);
    let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
    ip.emit(&mut packet, &checksums);
    let mut datagram = UdpPacket::new_unchecked(packet.payload_mut());
    udp.emit(
        &mut datagram,
        &IpAddress::Ipv4(from),
        &IpAddress::Ipv4(to),
        length,
        fill,
        &checksums,
    );
    octets
}

/// Asks whether somebody has an address, without claiming it (RFC 5227 §2.1.1).
pub fn arp_probe(mac: Mac, address: Ipv4Addr) -> Vec<u8> {
    arp(mac, Ipv4Addr::UNSPECIFIED, address)
}

/// Tells everyone that we have an address (RFC 5227 §2.3), so that nobody goes on with an old one.
pub fn arp_announcement(mac: Mac, address: Ipv4Addr) -> Vec<u8> {
    arp(mac, address, address)
}

pub(super) fn arp(mac: Mac, own: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: EthernetAddress(mac),
        source_protocol_addr: own,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: target,
    };
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress(mac),
        dst_addr: EthernetAddress(EVERYONE),
        ethertype: EthernetProtocol::Arp,
    };
    let mut octets = vec![0; ethernet.buffer_len() + arp.buffer_len()];
    let mut frame = EthernetFrame::new_unchecked(&mut octets[..]);
    ethernet.emit(&mut frame);
    arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    octets
}

/// What a frame holds that the client with this hardware address cares for.
pub fn read(octets: &[u8], mac: Mac) -> Option<Heard> {
    let frame = EthernetFrame::new_checked(octets).ok()?;
    match frame.ethertype() {
        EthernetProtocol::Arp => read_arp(frame.payload()),
        EthernetProtocol::Ipv4 => {
            let reply = read_ip(frame.payload(), mac, frame.src_addr().0)?;
            Some(Heard::Reply(reply))
        }
        _ => None,
    }
}

fn read_arp(octets: &[u8]) -> Option<Heard> {
    let packet = ArpPacket::new_checked(octets).ok()?;
    let Ok(ArpRepr::EthernetIpv4 {
        source_hardware_addr,
        source_protocol_addr,
        target_protocol_addr,
        ..
    }) = ArpRepr::parse(&packet)
    else {
        return None;
    };
    Some(Heard::Arp {
        mac: source_hardware_addr.0,
        own: source_protocol_addr,
        target: target_protocol_addr,
    })
}

fn read_ip(octets: &[u8], mac: Mac, from: Mac) -> Option<Reply> {
    let packet = Ipv4Packet::new_checked(octets).ok()?;
    let ip = Ipv4Repr::parse(&packet, &ChecksumCapabilities::default()).ok()?;
    if ip.next_header != IpProtocol::Udp {
        return None;
    }
    // Without the checksum of UDP: a frame from the same host may not have one yet.
    let datagram = UdpPacket::new_checked(packet.payload()).ok()?;
    if (datagram.src_port(), datagram.dst_port()) != (DHCP_SERVER_PORT, DHCP_CLIENT_PORT) {
        return None;
    }
    read_dhcp(datagram.payload(), mac, from)
}

fn read_dhcp(octets: &[u8], mac: Mac, from: Mac) -> Option<Reply> {
    let packet = DhcpPacket::new_checked(octets).ok()?;
    // RFC 2131 §3: the options begin with this cookie.
    if packet.magic_number() != 0x6382_5363 || octets.get(..3) != Some(&[2, 1, 6]) {
        return None;
    }
    if packet.client_hardware_address().0 != mac {
        return None;
    }
    let mut answer = None;
    let mut reply = Reply {
        answer: Answer::Nak,
        xid: packet.transaction_id(),
        from,
        server: None,
        address: packet.your_ip(),
        mask: None,
        router: None,
        dns: Vec::new(),
        domain: None,
        lease_s: None,
        t1_s: None,
        t2_s: None,
    };
    for DhcpOption { kind, data } in packet.options() {
        match kind {
            1 => reply.mask = address(data),
            3 => reply.router = address(data).filter(|router| is_machine(*router)),
            6 => {
                let servers = data.chunks_exact(4).filter_map(address);
                let servers = servers.filter(|server| is_machine(*server));
                reply.dns = servers.take(NAME_SERVERS).collect();
            }
            15 => reply.domain = domain(data),
            51 => reply.lease_s = seconds(data),
            53 => {
                answer = match data {
                    [2] => Some(Answer::Offer),
                    [5] => Some(Answer::Ack),
                    [6] => Some(Answer::Nak),
                    _ => None,
                }
            }
            54 => reply.server = address(data),
            58 => reply.t1_s = seconds(data),
            59 => reply.t2_s = seconds(data),
            _ => {}
        }
    }
    reply.answer = answer?;
    Some(reply)
}

fn address(data: &[u8]) -> Option<Ipv4Addr> {
    data.first_chunk::<4>().copied().map(Ipv4Addr::from)
}

fn seconds(data: &[u8]) -> Option<u32> {
    data.try_into().ok().map(u32::from_be_bytes)
}

/// Anything else would end up in a file that is read line by line.
fn domain(data: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(data).ok()?.trim_end_matches('\0');
    let text = text.trim_end_matches('.');
    let fits = (1..=DOMAIN).contains(&text.len())
        && (text.bytes()).all(|octet| octet.is_ascii_alphanumeric() || b"-.".contains(&octet));
    fits.then(|| text.to_owned())
}

const fn is_machine(address: Ipv4Addr) -> bool {
    !matches!(address.octets()[0], 0 | 127 | 224..)
}
