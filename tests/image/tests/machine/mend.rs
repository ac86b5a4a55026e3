//! What is broken on a card and mended by itself, or gone round: slots, the boot loader's memory, data that
//! was not grown to its end. Cards are made so, which takes less time than waiting for it.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use interop::{Admin, BOOTS_WITHIN, EXCHANGE, Machine, Need, Scenario, Stage, administrator};
use platform::mbr::Table;
use serde_json::Value;

use crate::menu::{DOWN, choose};
use crate::{until, variant};

/// Set by `make test-image`.
const LONG: &str = "IMAGE_ALL";

/// Where the superblock of ext4 has its count of blocks of 4 KiB, in the partition.
const BLOCKS_AT: u64 = 1024 + 4;

pub(super) fn scenarios() -> Vec<Scenario> {
    let machine = [Need::Machine];
    vec![
        Scenario::new(
            "a_slot_that_comes_up_no_more_gives_way_to_the_other",
            &machine,
            fallen,
        ),
        Scenario::new(
            "what_a_power_cut_left_of_the_first_start_is_mended",
            &machine,
            cut_off,
        ),
        Scenario::new(
            "a_new_system_that_nothing_in_it_proves_is_restarted",
            &machine,
            unproved,
        )
        .only_where(LONG),
        Scenario::new(
            "a_new_system_that_can_not_use_the_data_is_given_up_at_once",
            &machine,
            no_data,
        )
        .only_where(LONG),
        Scenario::new(
            "a_new_system_whose_administration_is_missing_is_given_up",
            &machine,
            deaf,
        )
        .only_where(LONG),
        Scenario::new(
            "the_menu_starts_the_other_system",
            &machine,
            menu_starts_other,
        )
        .only_where(LONG),
    ]
}

/// A machine with these systems in its slots, of which its boot loader remembers this.
fn card(stage: &Stage, slots: [Option<&Path>; 2], memory: &str) -> Result<(Machine, Admin)> {
    let machine = Machine::installed(stage, EXCHANGE)?;
    for (slot, system) in (1..).zip(slots) {
        if let Some(system) = system {
            variant::install_in(&machine, slot, system)?;
        }
    }
    variant::remember(stage, &machine, memory)?;
    let admin = administrator(stage, &machine)?;
    Ok((machine, admin))
}

fn slots(admin: &Admin) -> Result<Value> {
    admin.done("GET", "/system/slots", &Value::Null)
}

/// It failed for a reason that has these words, and this slot runs.
fn failed(stage: &Stage, admin: &Admin, running: &str, why: &str) -> Result<()> {
    let slots = slots(admin)?;
    ensure!(
        slots["running"] == running && slots["confirmed"] == running,
        "{slots}"
    );
    ensure!(slots["upgrade"]["state"] == "failed", "{slots}");
    let reason = slots["upgrade"]["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains(why), "{slots}");
    stage.note(reason)
}

/// A has proved itself, and panics now: after its fifth start B takes its place.
fn fallen(stage: &Stage) -> Result<()> {
    let dead = variant::system(stage, "0.1.1", |root| {
        Ok(fs::remove_file(root.join("usr/bin/supervisor"))?)
    })?;
    let whole = Machine::image().with_extension("squashfs");
    let (mut machine, admin) = card(stage, [Some(&dead), Some(&whole)], "slot=A\nstarts=4\n")?;
    machine.start()?;
    machine.ends(BOOTS_WITHIN)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    failed(stage, &admin, "B", "slot A has not come up in five starts")?;
    // What came up is not counted any more.
    until("the boot loader is told", || {
        let memory = variant::memory(stage, &machine)?;
        Ok(!memory.contains("starts=1"))
    })
}

/// The table says that the data is as large as the card, its file system has not grown, and the boot
/// loader's memory is damaged.
fn cut_off(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let card = fs::File::options()
        .read(true)
        .write(true)
        .open(machine.card())?;
    let mut sector = [0; 512];
    card.read_exact_at(&mut sector, 0)?;
    let sectors = card.metadata()?.len() / 512;
    let table = Table::parse(&sector)?;
    let grown = table.grown(sectors).context("no room to grow")?;
    grown.write(&mut sector);
    card.write_all_at(&sector, 0)?;
    let data = u64::from(table.partitions[3].context("no data")?.start) * 512;
    let blocks = || -> Result<u32> {
        let mut word = [0; 4];
        card.read_exact_at(&mut word, data + BLOCKS_AT)?;
        Ok(u32::from_le_bytes(word))
    };
    let before = blocks()?;
    variant::damage(stage, &machine)?;

    let admin = administrator(stage, &machine)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    let slots = slots(&admin)?;
    ensure!(
        slots["running"] == "A" && slots["confirmed"] == "A" && slots["upgrade"]["state"] == "none",
        "{slots}"
    );
    let health = admin.done("GET", "/system/health", &Value::Null)?;
    let room = health["disk_total_bytes"].as_u64().unwrap_or_default();
    let of_old = u64::from(before) * 4096;
    ensure!(room > 2 * of_old, "{room} of {of_old}: {health}");
    let memory = variant::memory(stage, &machine)?;
    ensure!(memory.contains("slot=A"), "{memory}");
    machine.cut_power()?;
    let after = blocks()?;
    stage.note(&format!("from {before} to {after} blocks"))?;
    ensure!(after > 2 * before, "{before} to {after} blocks");
    Ok(())
}

/// The new system runs, but for the child that is to prove it: PID 1 restarts it.
fn unproved(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "9.6.0", |root| {
        // PID 1 is the same program, by its other name.
        Ok(fs::rename(
            root.join("usr/bin/supervisor"),
            root.join("sbin/init"),
        )?)
    })?;
    let memory = "slot=A\nnext=B\ntries=1\n";
    let (mut machine, admin) = card(stage, [None, Some(&system)], memory)?;
    let begun = Instant::now();
    machine.start()?;
    // Its time to prove itself comes on top.
    machine.ends(BOOTS_WITHIN * 2)?;
    let lived = begun.elapsed();
    stage.note(&format!("restarted after {:.0} s", lived.as_secs_f64()))?;
    ensure!(lived > Duration::from_secs(300), "it had no time");
    machine.boot(&admin)?;
    admin.first_visit()?;
    failed(stage, &admin, "A", "did not prove itself")
}

/// What it is to check the data with is missing: it runs from memory, and gives way.
fn no_data(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "9.7.0", |root| {
        for name in ["sbin/e2fsck", "usr/sbin/e2fsck"] {
            let _ = fs::remove_file(root.join(name));
        }
        Ok(())
    })?;
    let memory = "slot=A\nnext=B\ntries=3\n";
    let (mut machine, admin) = card(stage, [None, Some(&system)], memory)?;
    machine.start()?;
    machine.ends(BOOTS_WITHIN)?;
    // At once: no second try.
    ensure!(variant::memory(stage, &machine)?.contains("failed=1"));
    machine.boot(&admin)?;
    admin.first_visit()?;
    failed(stage, &admin, "A", "did not prove itself")
}

/// Calls pass, and nobody could administer it.
fn deaf(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "9.8.0", |root| {
        Ok(fs::remove_file(root.join("usr/bin/webd"))?)
    })?;
    let (mut machine, admin) = card(stage, [None, Some(&system)], "slot=A\n")?;
    // The exchange has its certificate from the administration.
    machine.boot(&admin)?;
    admin.first_visit()?;
    machine.cut_power()?;
    variant::remember(stage, &machine, "slot=A\nnext=B\ntries=3\n")?;
    machine.start()?;
    machine.ends(BOOTS_WITHIN * 2)?;
    machine.boot(&admin)?;
    admin.sign_in_again()?;
    failed(stage, &admin, "A", "the administration does not answer")
}

/// From the menu to the other system, which proves itself and stays.
fn menu_starts_other(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "0.1.1", |_| Ok(()))?;
    let (mut machine, admin) = card(stage, [None, Some(&system)], "slot=A\n")?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    choose(&mut machine, "", "9 Start the Other System (0.1.1)")?;
    choose(&mut machine, "9", "Slot B holds 0.1.1")?;
    machine.send(&format!("{DOWN}\r"))?;
    machine.ends(BOOTS_WITHIN)?;
    machine.boot(&admin)?;
    admin.sign_in_again()?;
    let begun = Instant::now();
    loop {
        let slots = slots(&admin)?;
        ensure!(
            slots["running"] == "B" && slots["version"] == "0.1.1",
            "{slots}"
        );
        if slots["confirmed"] == "B" && slots["upgrade"]["state"] == "done" {
            let kept = begun.elapsed().as_secs_f64();
            return stage.note(&format!("kept after {kept:.0} s"));
        }
        ensure!(begun.elapsed() < BOOTS_WITHIN, "{slots}");
        thread::sleep(Duration::from_secs(1));
    }
}
