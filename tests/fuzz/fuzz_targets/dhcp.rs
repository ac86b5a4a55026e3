//! A DHCP client among servers and stations that say anything: it neither panics nor spins, and uses no
//! address but one that a server has said is its own, for as long as that was to last.
//!
//! Each operation begins with an octet that says what happens, and one of how much time passes before.

#![no_main]

use core::net::Ipv4Addr;
use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use model::Instant;
use platform::network::dhcp::{Client, Event, Output};

const MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x2a];
const ROUTER: [u8; 6] = [0x02, 0, 0, 0, 0, 1];

/// Where the xid is in a frame of ours, behind Ethernet, IPv4 and UDP.
const XID: usize = 14 + 20 + 8 + 4;

/// More frames than any moment has a reason for.
const MOST: usize = 20;

struct Machine {
    client: Client,
    now: Instant,
    /// Of the last message of ours.
    xid: [u8; 4],
    address: Option<Ipv4Addr>,
    /// What servers have said yes to.
    offered: Vec<Ipv4Addr>,
}

impl Machine {
    fn drain(&mut self) {
        let (mut outputs, mut leased) = (0, false);
        while let Some(output) = self.client.poll_output() {
            outputs += 1;
            assert!(outputs < MOST, "one input, endless outputs");
            match output {
                Output::Transmit(frame) => {
                    assert_eq!(frame[6..12], MAC, "from another station");
                    assert!(frame.len() <= 1514, "longer than a frame");
                    if frame[12..14] == [8, 0] {
                        self.xid.copy_from_slice(&frame[XID..XID + 4]);
                    }
                }
                Output::Event(Event::Leased(lease)) => {
                    let address = lease.address.address();
                    assert!(self.offered.contains(&address), "{address} is nobody's");
                    assert!(lease.until.is_none_or(|until| until > self.now));
                    assert!(lease.dns.len() <= 3);
                    self.address = Some(address);
                    leased = true;
                }
                Output::Event(Event::Lost) => {
                    assert!(self.address.take().is_some(), "lost what it had not");
                }
                Output::Event(Event::Unanswered) => {}
            }
        }
        let lease = self.client.lease();
        assert_eq!(lease.map(|lease| lease.address.address()), self.address);
        if leased {
            // Whatever the server wants, it is not asked all the time.
            let next = self.client.poll_timeout();
            assert!(next.is_none_or(|at| at >= self.now + Duration::from_secs(15)));
        }
    }

    /// Time passes, every timer at its moment.
    fn pass(&mut self, duration: Duration) {
        let until = self.now + duration;
        let mut at_once = 0;
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= until) {
            at_once = if at <= self.now { at_once + 1 } else { 0 };
            assert!(at_once < MOST, "it spins");
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    /// A server answers what was asked last.
    fn answer(&mut self, word: u8, address: [u8; 4], options: &[u8]) {
        let mut dhcp = vec![2, 1, 6, 0];
        dhcp.extend(self.xid);
        dhcp.extend([0; 8]);
        dhcp.extend(address);
        dhcp.extend([0; 8]);
        dhcp.extend(MAC);
        dhcp.resize(236, 0);
        dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, word]);
        dhcp.extend(options);
        let udp = u16::try_from(8 + dhcp.len()).expect("short");
        let mut ip = vec![0x45, 0];
        ip.extend((20 + udp).to_be_bytes());
        ip.extend([0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 8, 1, 255, 255, 255, 255]);
        let sum: u32 = (ip.chunks(2))
            .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum();
        let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let mut frame = [MAC.as_slice(), &ROUTER, &[8, 0]].concat();
        frame.extend(ip);
        frame.extend([0, 67, 0, 68]);
        frame.extend(udp.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend(dhcp);
        self.offered.push(address.into());
        self.client.handle_frame(self.now, &frame);
        self.drain();
    }

    fn arp(&mut self, own: [u8; 4], target: [u8; 4]) {
        let mut frame = [[0xff; 6].as_slice(), &ROUTER, &[8, 6]].concat();
        frame.extend([0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(ROUTER);
        frame.extend(own);
        frame.extend([0; 6]);
        frame.extend(target);
        self.client.handle_frame(self.now, &frame);
        self.drain();
    }
}

/// Options of a server that means well: itself, its network, an hour.
const USUAL: [u8; 18] = [
    54, 4, 10, 9, 8, 1, 1, 4, 255, 255, 255, 0, 51, 4, 0, 0, 14, 16,
];

fuzz_target!(|octets: &[u8]| {
    let mut rest = octets;
    let now = Instant::from_millis(1000);
    let mut machine = Machine {
        client: Client::new(now, MAC, "box.example.com", 7),
        now,
        xid: [0; 4],
        address: None,
        offered: Vec::new(),
    };
    machine.client.handle_carrier(now, true);
    for _ in 0..100 {
        let [what, wait, after @ ..] = rest else {
            break;
        };
        rest = after;
        machine.pass(Duration::from_millis(8 * u64::from(*wait).pow(2)));
        let mut take = |count: usize| {
            let (part, after) = rest.split_at(count.min(rest.len()));
            rest = after;
            part.to_vec()
        };
        let host = |part: Vec<u8>| [10, 9, 8, part.first().copied().unwrap_or(9)];
        match what % 8 {
            0 => machine.client.handle_carrier(machine.now, true),
            1 => machine.client.handle_carrier(machine.now, false),
            2 => {
                let frame = take(usize::from(*wait));
                machine.client.handle_frame(machine.now, &frame);
            }
            3 => machine.answer([2, 5, 6][usize::from(what / 8 % 3)], host(take(1)), &USUAL),
            4 | 5 => {
                let (host, extra) = (host(take(1)), take(usize::from(what / 8)));
                let options = [&USUAL[..], &extra].concat();
                machine.answer([2, 5, 6][usize::from(wait % 3)], host, &options);
            }
            6 => {
                let address = take(4).try_into().unwrap_or([0; 4]);
                let options = take(usize::from(what / 8));
                machine.answer([2, 5][usize::from(wait % 2)], address, &options);
            }
            _ => {
                let (own, target) = (host(take(1)), host(take(1)));
                machine.arp(if what & 8 == 0 { own } else { [0; 4] }, target);
            }
        }
        machine.drain();
    }
    machine.pass(Duration::from_secs(4000));
    machine.client.release();
    let mut frames = 0;
    while machine.client.poll_output().is_some() {
        frames += 1;
    }
    assert!(frames <= 1);
    assert_eq!(machine.client.poll_timeout(), None);
});
