//! The exchange in its image: a machine at the exchange's address, told so before its first start.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::json;

use super::Admin;
use crate::{
    Stage, address,
    machine::{BOOTS_WITHIN, Machine},
};

/// WEB-1.
const WEB_PORT: u16 = 4021;

/// Where the administrator sits.
const ADMINISTRATOR: u8 = 250;

#[derive(Debug)]
pub(super) struct Image {
    machine: Machine,
    admin: Admin,
}

impl Image {
    pub(super) fn start(stage: &Stage, number: u8) -> Result<Self> {
        let mut machine = Machine::new(stage, number)?;
        machine.preset("system/network.json", &settings(number))?;
        machine.start()?;
        let desk = stage.net.host(ADMINISTRATOR)?;
        let admin = Admin::at_desk(machine.host(), &desk, WEB_PORT, stage.evidence());
        let to = SocketAddr::new(address(number), WEB_PORT);
        desk.connect(to, BOOTS_WITHIN)
            .with_context(|| format!("the image did not come up\n{}", machine.said()))?;
        admin.first_visit()?;
        Ok(Self { machine, admin })
    }

    pub(super) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// A power cut: the only crash that reaches into a machine.
    pub(super) fn crash(&mut self) -> Result<()> {
        self.machine.cut_power()?;
        self.machine.start()?;
        self.admin.reachable(BOOTS_WITHIN)
    }
}

fn settings(number: u8) -> String {
    json!({
        "host_name": "operator-box",
        "interfaces": [{
            "name": "eth0",
            "addressing": { "addressing": "static", "address": format!("{}/24", address(number)) },
        }],
        "gateway": null,
        "dns": [],
    })
    .to_string()
}
