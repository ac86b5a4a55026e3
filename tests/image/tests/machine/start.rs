//! Starts: the first one, and many in a row.

use std::{
    fs::File,
    io::Read,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use interop::{Admin, BOOTS_WITHIN, EXCHANGE, Machine, Need, Scenario, Stage, administrator};
use platform::mbr::Table;
use serde_json::Value;

use crate::times;

/// What a box without calls takes at most.
const MEMORY_MIB: u64 = 128;

pub(super) fn scenarios() -> Vec<Scenario> {
    let machine = [Need::Machine];
    vec![
        Scenario::new("a_new_box_is_reached_at_10_10_10_1", &machine, new_box),
        Scenario::new(
            "starts_in_a_row_reach_the_administration",
            &machine,
            in_a_row,
        ),
        Scenario::new("a_box_without_calls_is_lean", &machine, lean).only_where("IMAGE_ALL"),
    ]
}

/// BOX-2, BOX-3: no screen, no settings, no DHCP server.
fn new_box(stage: &Stage) -> Result<()> {
    let mut machine = Machine::new(stage, EXCHANGE)?;
    let desk = stage.net.host(250)?;
    let added = desk
        .command("ip")
        .args(["addr", "add", "10.10.10.250/24", "dev", "eth0"])
        .status()?;
    ensure!(
        added.success(),
        "the desk has no address of the box's network"
    );
    machine.start()?;
    for port in [4021, 443, 80] {
        desk.connect(SocketAddr::from(([10, 10, 10, 1], port)), BOOTS_WITHIN)
            .with_context(|| format!("port {port}\n{}", machine.said()))?;
    }
    machine.cut_power()?;
    let mut sector = [0; 512];
    File::open(machine.card())?.read_exact(&mut sector)?;
    let data = Table::parse(&sector)?.partitions[3].context("no data partition")?;
    let card = machine.card().metadata()?.len();
    let end = u64::from(data.start) * 512 + u64::from(data.sectors) * 512;
    ensure!(end == card, "the data ends at {end}, the card at {card}");
    Ok(())
}

/// What is in use of the machine's memory, in MiB.
fn memory(admin: &Admin) -> Result<u64> {
    let health = admin.done("GET", "/system/health", &Value::Null)?;
    let octets = |field: &str| {
        let value = health[field].as_u64();
        value.with_context(|| format!("no {field} in {health}"))
    };
    Ok((octets("memory_total_bytes")? - octets("memory_available_bytes")?) >> 20)
}

/// Programs as they are delivered: those of the debug profile take more.
fn lean(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let admin = administrator(stage, &machine)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    // The first login's hashing is over, and what the start left is free.
    thread::sleep(Duration::from_secs(60));
    let used = memory(&admin)?;
    stage.note(&format!("{used} MiB of memory are in use"))?;
    ensure!(used <= MEMORY_MIB, "{used} MiB of memory are in use");
    Ok(())
}

fn in_a_row(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let admin = administrator(stage, &machine)?;
    for start in 1..=times("IMAGE_STARTS", 2) {
        let begun = Instant::now();
        machine
            .boot(&admin)
            .with_context(|| format!("start {start}"))?;
        if start == 1 {
            admin.first_visit()?;
        }
        admin.sign_in_again()?;
        stage.note(&format!(
            "start {start}: the administration answered after {:.1} s",
            begun.elapsed().as_secs_f64()
        ))?;
        machine.cut_power()?;
    }
    Ok(())
}
