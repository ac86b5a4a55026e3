//! How a world comes to be: extensions, phones, network, seed.

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use model::config::{CallerId, Configuration, Emergency, Extension, General, Ringing, User};
use model::{
    Codec, ConfigVersion, ExtensionId, Instant, Language, Role, Secret, SrtpPolicy, UserId,
};

use super::exchange::Exchange;
use super::{EXCHANGE, PhoneId, Place, SIP_PORT, World};
use crate::chance::Chance;
use crate::network::Network;
use crate::phone::{Phone, Profile, password_of};
use crate::tape::Tape;

/// A world to be.
#[derive(Debug)]
pub struct Builder {
    numbers: Vec<String>,
    seed: u64,
    network: Network,
    ports: u16,
    no_answer_s: u32,
    phones: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            numbers: Vec::new(),
            seed: 1,
            network: Network::quiet(),
            ports: 32,
            no_answer_s: 30,
            phones: true,
        }
    }
}

impl Builder {
    /// These extensions.
    #[must_use]
    pub fn extensions<const N: usize>(mut self, numbers: [&str; N]) -> Self {
        self.numbers.extend(numbers.map(str::to_owned));
        self
    }

    /// So many extensions from a number on.
    #[must_use]
    pub fn many(mut self, first: u32, count: u32) -> Self {
        self.numbers
            .extend((first..first + count).map(|number| number.to_string()));
        self
    }

    /// All chance comes from this.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The network of every phone.
    #[must_use]
    pub const fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// So many media ports.
    #[must_use]
    pub const fn ports(mut self, ports: u16) -> Self {
        self.ports = ports;
        self
    }

    /// A call rings so many seconds.
    #[must_use]
    pub const fn no_answer_s(mut self, seconds: u32) -> Self {
        self.no_answer_s = seconds;
        self
    }

    /// No phone yet: they come by `add_phone`.
    #[must_use]
    pub const fn without_phones(mut self) -> Self {
        self.phones = false;
        self
    }

    /// The world, its phones registered where the network lets them.
    #[must_use]
    pub fn build(self) -> World {
        let mut chance = Chance::new(self.seed);
        let configuration = configuration(&self.numbers, self.no_answer_s);
        let now = Instant::from_millis(1000);
        let exchange = Exchange::new(
            now,
            configuration.clone(),
            chance.bytes(),
            self.ports,
            (Vec::new(), Vec::new()),
            1,
        );
        let mut world = World {
            now,
            exchange,
            phones: Vec::new(),
            wakes: Vec::new(),
            places: Vec::new(),
            outside: BTreeMap::new(),
            due: BinaryHeap::new(),
            posted: 0,
            chance,
            tape: Tape::default(),
            default_network: self.network,
            configuration,
            next_tick: now,
            journal: BTreeMap::new(),
            under_way: BTreeMap::new(),
            opened: Vec::new(),
            closed: BTreeMap::new(),
            notices: Vec::new(),
            security: Vec::new(),
            strays: Vec::new(),
            turned_away: Vec::new(),
            icmp: false,
            forgiving: false,
            lenient: false,
            rough: self.network != Network::quiet(),
            stopped: false,
            finished: false,
        };
        world.carry_out();
        if self.phones {
            for number in &self.numbers {
                let phone = world.add_phone(number);
                world.register(phone);
            }
            world.run_until(
                |world| {
                    world
                        .phones
                        .iter()
                        .all(|phone| phone.registering.is_registered())
                },
                60_000,
            );
        }
        world
    }
}

/// What an administrator would have made of these numbers.
fn configuration(numbers: &[String], no_answer_s: u32) -> Configuration {
    let ids = 1_u32..;
    let mut configuration = Configuration {
        version: ConfigVersion::new(1),
        general: General {
            no_answer_s,
            ..General::default()
        },
        users: (numbers.iter().zip(ids.clone()))
            .map(|(number, id)| User {
                id: UserId::new(id),
                name: format!("user{number}"),
                full_name: format!("User {number}"),
                email: None,
                language: Language::En,
                role: Role::User,
                enabled: true,
                ringing: Ringing::default(),
            })
            .collect(),
        extensions: (numbers.iter().zip(ids))
            .map(|(number, id)| Extension {
                id: ExtensionId::new(id),
                number: number.parse().expect("scenarios give digits"),
                description: String::new(),
                user: Some(UserId::new(id)),
                caller_name: None,
                caller_id: CallerId::Own,
                enabled: true,
                sip_username: number.clone(),
                sip_password: Secret::new(password_of(number)),
                codecs: Codec::DEFAULT.to_vec(),
                srtp: SrtpPolicy::Off,
                permission_group: None,
            })
            .collect(),
        interfaces: Vec::new(),
        routes: Vec::new(),
        emergency: Emergency::preset("CZ"),
        permission_groups: Vec::new(),
        fraud_protection: model::config::FraudProtection::preset("CZ"),
    };
    // As in an exchange where nobody has set any: an extension of that number goes before.
    configuration.emergency = configuration.preset_emergency();
    let faults = configuration.check();
    assert!(faults.is_empty(), "{faults:?}");
    configuration
}

impl World {
    /// One more phone of an extension, not yet registered. Its voice is 500 Hz for the first phone, and
    /// 150 Hz higher for each further one.
    pub fn add_phone(&mut self, number: &str) -> PhoneId {
        self.place_phone(number, None)
    }

    /// One more phone, behind a NAT: the address it believes in is not the one others see.
    pub fn add_phone_behind_nat(&mut self, number: &str) -> PhoneId {
        let index = self.phones.len();
        let public = IpAddr::from([203, 0, 113, 10 + index as u8]);
        self.place_phone(number, Some(public))
    }

    fn place_phone(&mut self, number: &str, nat: Option<IpAddr>) -> PhoneId {
        let index = self.phones.len();
        let id = PhoneId(index);
        let (block, host) = ((index / 200) as u8, 10 + (index % 200) as u8);
        let ip = match nat {
            None => IpAddr::from([10, 0, 1 + block, host]),
            Some(_) => IpAddr::from([192, 168, block, host]),
        };
        let siblings = self
            .phones
            .iter()
            .filter(|phone| phone.profile.number == number)
            .count();
        let name = match siblings {
            0 => number.to_owned(),
            n => format!("{number}{}", char::from(b'a' + (n % 26) as u8)),
        };
        let voice = 500.0 + 150.0 * (index % 16) as f32;
        let chance = Chance::new(self.chance.next());
        self.phones.push(Phone::new(
            name,
            Profile::new(number, voice),
            SocketAddr::new(ip, SIP_PORT),
            SocketAddr::from((EXCHANGE, SIP_PORT)),
            chance,
        ));
        self.wakes.push(None);
        self.places.push(Place {
            network: self.default_network,
            nat,
            holes: BTreeSet::new(),
            stream: None,
            next_ephemeral: 40_000,
            last_up: self.now,
            last_down: self.now,
        });
        self.outside.insert(nat.unwrap_or(ip), id);
        id
    }
}
