//! Sound of many legs through one socket: packets every 20 ms that carry when they were sent.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use platform::sys::datagram::{self, Batch};
use socket2::SockRef;

use super::phones::SoundLeg;

/// Packets are spread over so many slots of a millisecond.
const SLOTS: usize = 20;

/// A packet: RTP header and 20 ms of A-law.
const PACKET: usize = 172;

/// The sending and receiving end of all legs.
pub struct Sound {
    socket: UdpSocket,
    batch: Batch,
    exchange: SocketAddr,
    legs: Vec<Leg>,
    /// Packets that came on each port of the exchange.
    received: HashMap<u16, u64>,
    /// How long packets were on their way, in microseconds.
    pub delays_us: Vec<u64>,
    slot: usize,
    next: Instant,
    /// Packets sent.
    pub sent: u64,
    /// Packets that came.
    pub came: u64,
}

struct Leg {
    port: u16,
    sequence: u16,
}

impl Sound {
    /// A socket for sound towards an exchange.
    pub fn new(exchange: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_recv_buffer_size(32 << 20)?;
        datagram::report_time(&socket)?;
        Ok(Self {
            socket,
            batch: Batch::new(256, 2048),
            exchange,
            legs: Vec::new(),
            received: HashMap::new(),
            delays_us: Vec::new(),
            slot: 0,
            next: Instant::now(),
            sent: 0,
            came: 0,
        })
    }

    /// Where it takes sound.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Speaks on a leg from now on.
    pub fn add(&mut self, leg: SoundLeg) {
        self.legs.push(Leg {
            port: leg.port,
            sequence: 0,
        });
    }

    /// Stops speaking.
    pub fn hush(&mut self) {
        self.legs.clear();
    }

    /// Forgets what came up to now.
    pub fn restart(&mut self) {
        self.delays_us.clear();
        self.received.clear();
        (self.sent, self.came) = (0, 0);
    }

    /// Sends what is due and takes what came.
    pub fn turn(&mut self) -> Result<()> {
        let now = Instant::now();
        while self.next <= now {
            self.next += Duration::from_millis(1);
            self.speak();
        }
        self.listen();
        Ok(())
    }

    fn speak(&mut self) {
        let Self {
            socket,
            legs,
            exchange,
            sent,
            slot,
            ..
        } = self;
        *slot = (*slot + 1) % SLOTS;
        let at = u64::try_from(wall().as_nanos()).unwrap_or_default();
        for (index, leg) in legs.iter_mut().enumerate() {
            if index % SLOTS != *slot {
                continue;
            }
            let mut packet = [0xd5; PACKET];
            let stamp = u32::from(leg.sequence).wrapping_mul(160);
            packet[0] = 0x80;
            packet[1] = 8;
            packet[2..4].copy_from_slice(&leg.sequence.to_be_bytes());
            packet[4..8].copy_from_slice(&stamp.to_be_bytes());
            packet[8..12].copy_from_slice(&u32::from(leg.port).to_be_bytes());
            packet[12..20].copy_from_slice(&at.to_be_bytes());
            leg.sequence = leg.sequence.wrapping_add(1);
            let to = SocketAddr::new(exchange.ip(), leg.port);
            if datagram::send(socket.as_fd(), false, &packet, to, None).is_ok() {
                *sent += 1;
            }
        }
    }

    fn listen(&mut self) {
        while let Ok(count) = self.batch.receive(&self.socket) {
            for at in 0..count {
                let Some(datagram) = self.batch.datagram(at) else {
                    continue;
                };
                let Some(stamp) = datagram.octets.get(12..20) else {
                    continue;
                };
                let mut octets = [0; 8];
                octets.copy_from_slice(stamp);
                let sent = Duration::from_nanos(u64::from_be_bytes(octets));
                let arrived = datagram.arrived.unwrap_or_else(wall);
                let took = arrived.saturating_sub(sent).as_micros();
                self.delays_us.push(u64::try_from(took).unwrap_or(u64::MAX));
                *self.received.entry(datagram.source.port()).or_default() += 1;
                self.came += 1;
            }
            if count < self.batch.capacity() {
                break;
            }
        }
    }

    /// Legs that sound came on.
    pub fn legs_heard(&self) -> usize {
        self.received.len()
    }
}

fn wall() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
