//! A provider of telephone service: kamailio, with subscribers of its own.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::proxy::Proxy;
use super::{Account, Admin};
use crate::{Stage, address};

/// An interface is registered within.
const READY: Duration = Duration::from_secs(15);

/// A running provider; ended on drop.
#[derive(Debug)]
pub struct Provider {
    proxy: Proxy,
    number: u8,
}

impl Provider {
    /// Starts one on this host, without subscribers.
    pub fn start(stage: &Stage, host: u8) -> Result<Self> {
        let proxy = Proxy::start(stage, host)?;
        Ok(Self {
            proxy,
            number: host,
        })
    }

    /// A new subscriber of it, by telephone number.
    pub fn add_subscriber(&self, number: &str) -> Result<Account> {
        self.proxy.add_user(number)
    }

    /// It answers each new request with this status from now on.
    pub fn refuse(&self, status: u16) -> Result<()> {
        self.proxy.set_mode(Some(&status.to_string()))
    }

    /// It says nothing to new requests any more.
    pub fn fall_silent(&self) -> Result<()> {
        self.proxy.set_mode(Some("drop"))
    }

    /// It works again.
    pub fn recover(&self) -> Result<()> {
        self.proxy.set_mode(None)
    }

    /// It is gone.
    pub fn die(&mut self) -> Result<()> {
        self.proxy.kill()
    }

    /// The exchange gets an account here: an interface of this name that registers, and whose number rings
    /// an extension. With a prefix a route to it is added. Returns its id once it is registered.
    pub fn serve(
        &self,
        admin: &Admin,
        name: &str,
        number: &str,
        rings: &str,
        prefix: Option<&str>,
    ) -> Result<u64> {
        let account = self.add_subscriber(number)?;
        let rings = admin.extension_id(rings)?;
        let interface = json!({
            "name": name,
            "partner": "provider",
            "server": {
                "host": address(self.number).to_string(),
                "username": account.user,
                "password": account.password,
                "register": true,
            },
            "numbers": [{ "number": number, "extension": rings }],
            "prefix": prefix,
        });
        let added = admin.done("POST", "/interfaces", &interface)?;
        let path = format!("/interfaces/{}", added["id"]);
        let until = Instant::now() + READY;
        loop {
            let now = admin.done("GET", &path, &Value::Null)?;
            match added["id"].as_u64() {
                Some(id) if now["condition"] == "ready" => return Ok(id),
                _ if Instant::now() > until => bail!("{name} is not registered: {now}"),
                _ => thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}
