//! The exchange under test, and a stand-in that proves the tests themselves.
//!
//! [`Kind::Ours`] is the real thing. With `INTEROP_EXCHANGE=kamailio` the same scenarios run against kamailio: a scenario
//! that fails there asks for something no phone does, or the harness is at fault. With `INTEROP_EXCHANGE=image` they run
//! against the image, booted on a machine of QEMU.

mod admin;
mod image;
mod ours;
mod provider;
mod proxy;

use std::env;

use anyhow::{Result, bail};

pub use self::admin::{Admin, Reply};
pub use self::image::administrator;
pub(crate) use self::ours::binaries_missing as ours_missing;
pub use self::provider::Provider;
use self::{image::Image, ours::Ours, proxy::Proxy};
use crate::{EXCHANGE, Need, Stage, Transport, address, address6};

const CHOICE: &str = "INTEROP_EXCHANGE";

/// Which program is the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The project's own.
    Ours,
    /// The project's own, in its image on a machine of QEMU.
    Image,
    /// The foreign proxy.
    Kamailio,
}

/// A running exchange at host [`EXCHANGE`]; ended on drop.
#[derive(Debug)]
pub struct Exchange {
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Ours(Ours),
    Image(Image),
    Kamailio(Proxy),
}

/// What a phone must know to be an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The extension.
    pub number: String,
    /// Its SIP user.
    pub user: String,
    /// Its SIP password.
    pub password: String,
    /// The host it registers with.
    pub host: u8,
}

impl Kind {
    /// The one chosen for this run.
    pub fn chosen() -> Self {
        match env::var(CHOICE).as_deref() {
            Ok("kamailio") => Self::Kamailio,
            Ok("image") => Self::Image,
            _ => Self::Ours,
        }
    }
}

impl Exchange {
    /// Starts the chosen one without any extension, and waits until it is ready.
    pub fn start(stage: &Stage) -> Result<Self> {
        Self::start_as(stage, Kind::chosen())
    }

    /// Starts one of this kind.
    pub fn start_as(stage: &Stage, kind: Kind) -> Result<Self> {
        let engine = match kind {
            Kind::Ours => Engine::Ours(Ours::start(stage, EXCHANGE)?),
            Kind::Image => Engine::Image(Image::start(stage, EXCHANGE)?),
            Kind::Kamailio => Engine::Kamailio(Proxy::start(stage, EXCHANGE)?),
        };
        Ok(Self { engine })
    }

    /// Which it is.
    pub fn kind(&self) -> Kind {
        match self.engine {
            Engine::Ours(_) => Kind::Ours,
            Engine::Image(_) => Kind::Image,
            Engine::Kamailio(_) => Kind::Kamailio,
        }
    }

    /// Adds an extension.
    pub fn add_extension(&self, number: &str) -> Result<Account> {
        match &self.engine {
            Engine::Ours(ours) => ours.admin().add_extension(number, None),
            Engine::Image(image) => image.admin().add_extension(number, None),
            Engine::Kamailio(proxy) => proxy.add_user(number),
        }
    }

    /// The administration, where there is one.
    pub fn admin(&self) -> Option<&Admin> {
        match &self.engine {
            Engine::Ours(ours) => Some(ours.admin()),
            Engine::Image(image) => Some(image.admin()),
            Engine::Kamailio(_) => None,
        }
    }

    /// Kills the administration (`SIGKILL`) and waits until it is back; for [`Kind::Ours`] alone.
    pub fn crash_administration(&mut self) -> Result<()> {
        match &mut self.engine {
            Engine::Ours(ours) => ours.crash_administration(),
            Engine::Image(_) | Engine::Kamailio(_) => {
                bail!("no administration is beside the calls")
            }
        }
    }

    /// Stops it in order, and waits until it has left; for [`Kind::Ours`] alone.
    pub fn stop(&mut self) -> Result<()> {
        match &mut self.engine {
            Engine::Ours(ours) => ours.stop(),
            Engine::Image(_) | Engine::Kamailio(_) => bail!("nothing tells this exchange to stop"),
        }
    }

    /// Kills the telephony (`SIGKILL`) and waits until it is back, with the same data.
    pub fn crash(&mut self) -> Result<()> {
        match &mut self.engine {
            Engine::Ours(ours) => ours.crash_telephony(),
            Engine::Image(image) => image.crash(),
            Engine::Kamailio(proxy) => proxy.crash(),
        }
    }
}

impl Account {
    /// The URI of a number on the account's own exchange.
    pub(crate) fn uri(&self, number: &str, transport: Transport, ipv6: bool) -> String {
        format!(
            "sip:{number}@{}{}",
            self.registrar_host(ipv6),
            transport.parameter()
        )
    }

    /// Where it registers.
    pub(crate) fn registrar(&self, transport: Transport) -> String {
        format!(
            "sip:{}{}",
            self.registrar_host(false),
            transport.parameter()
        )
    }

    fn registrar_host(&self, ipv6: bool) -> String {
        if ipv6 {
            format!("[{}]", address6(self.host))
        } else {
            address(self.host).to_string()
        }
    }
}

/// Why the chosen exchange can't run here.
pub(crate) fn binaries_missing() -> Option<String> {
    match Kind::chosen() {
        Kind::Ours => ours_missing(),
        Kind::Image => crate::machine::missing(),
        Kind::Kamailio => Need::Kamailio.missing(),
    }
}
