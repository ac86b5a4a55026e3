//! The exchange in its image: a machine at the exchange's address, told so before its first start.

use anyhow::Result;

use super::Admin;
use crate::{
    Stage,
    machine::{BOOTS_WITHIN, Machine},
};

/// WEB-1.
const WEB_PORT: u16 = 4021;

/// Where the administrator sits.
const ADMINISTRATOR: u8 = 250;

/// An administrator of a machine, at a desk elsewhere on the switch.
pub fn administrator(stage: &Stage, machine: &Machine) -> Result<Admin> {
    let desk = stage.net.host(ADMINISTRATOR)?;
    let admin = Admin::at_desk(machine.host(), &desk, WEB_PORT, stage.evidence());
    Ok(admin.with_patience(BOOTS_WITHIN))
}

#[derive(Debug)]
pub(super) struct Image {
    machine: Machine,
    admin: Admin,
}

impl Image {
    pub(super) fn start(stage: &Stage, number: u8) -> Result<Self> {
        let mut machine = Machine::installed(stage, number)?;
        let admin = administrator(stage, &machine)?;
        machine.boot(&admin)?;
        admin.first_visit()?;
        Ok(Self { machine, admin })
    }

    pub(super) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// A power cut: the only crash that reaches into a machine.
    pub(super) fn crash(&mut self) -> Result<()> {
        self.machine.cut_power()?;
        self.machine.boot(&self.admin)
    }
}
