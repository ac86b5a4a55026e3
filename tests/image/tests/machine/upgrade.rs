//! Upgrades through the administration: good ones, ones that don't prove themselves, refused ones, and
//! the plug pulled while one is written.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use interop::{Admin, BOOTS_WITHIN, EXCHANGE, Machine, Need, Scenario, Stage, administrator};
use platform::update::{Origin, PrivateKey};
use serde_json::Value;

use crate::{power::Moments, times, variant};

/// Set by `make test-image`.
const LONG: &str = "IMAGE_ALL";
/// Between two looks at how far an upgrade is.
const LOOK: Duration = Duration::from_secs(1);
/// While one is written.
const CLOSE_LOOK: Duration = Duration::from_millis(300);
/// A card far slower than any, so that the plug can be pulled in time.
const SLOW_CARD: u32 = 3 << 20;

pub(super) fn scenarios() -> Vec<Scenario> {
    let machine = [Need::Machine];
    vec![
        Scenario::new("a_good_upgrade_is_kept_with_all_settings", &machine, good),
        Scenario::new(
            "an_upgrade_that_can_not_call_itself_gives_way_to_the_old_system",
            &machine,
            mute,
        )
        .only_where(LONG),
        Scenario::new(
            "an_upgrade_that_does_not_start_gives_way_to_the_old_system",
            &machine,
            dead,
        )
        .only_where(LONG),
        Scenario::new("what_is_no_upgrade_is_refused_unwritten", &machine, refused),
        Scenario::new(
            "a_power_cut_while_an_upgrade_is_written_leaves_the_old_system",
            &machine,
            cut,
        )
        .only_where(LONG),
    ]
}

/// A machine and who administers it.
struct Bench {
    machine: Machine,
    admin: Admin,
}

impl Bench {
    /// A new box on which something was set.
    fn start(stage: &Stage, slow_card: bool) -> Result<Self> {
        let mut machine = Machine::installed(stage, EXCHANGE)?;
        if slow_card {
            machine.slow_card(SLOW_CARD);
        }
        let admin = administrator(stage, &machine)?;
        let mut bench = Self { machine, admin };
        bench.machine.boot(&bench.admin)?;
        bench.admin.first_visit()?;
        bench.admin.add_user("kept", "Who Is Kept")?;
        let slots = bench.slots()?;
        ensure!(slots["running"] == "A", "{slots}");
        ensure!(slots["upgrade"]["state"] == "none", "{slots}");
        Ok(bench)
    }

    /// Starts again after it has switched itself off, and finds what was set.
    fn comes_back(&mut self) -> Result<()> {
        self.machine.ends(BOOTS_WITHIN)?;
        self.back()
    }

    fn back(&mut self) -> Result<()> {
        self.machine.boot(&self.admin)?;
        self.admin.sign_in_again()?;
        let users = self.admin.done("GET", "/users", &Value::Null)?;
        ensure!(users.to_string().contains("\"kept\""), "{users}");
        Ok(())
    }

    fn slots(&self) -> Result<Value> {
        self.admin.done("GET", "/system/slots", &Value::Null)
    }

    /// Uploads an update that is taken.
    fn upload(&self, update: &Path) -> Result<()> {
        let reply = self.admin.upload("/system/upgrade", update)?;
        ensure!(reply.status == 200, "{reply:?}");
        Ok(())
    }

    /// Looks until the upgrade is in this state.
    fn upgrade_is(&self, state: &str) -> Result<Value> {
        let until = Instant::now() + BOOTS_WITHIN;
        loop {
            let slots = self.slots()?;
            if slots["upgrade"]["state"] == state {
                return Ok(slots);
            }
            if Instant::now() > until {
                bail!(
                    "the upgrade is not {state}: {slots}\n{}",
                    self.machine.said()
                );
            }
            thread::sleep(LOOK);
        }
    }

    /// Uploads an update and restarts into it.
    fn try_it(&mut self, update: &Path, version: &str) -> Result<()> {
        self.upload(update)?;
        let slots = self.upgrade_is("ready")?;
        ensure!(slots["upgrade"]["version"] == version, "{slots}");
        ensure!(slots["other_version"] == version, "{slots}");
        ensure!(
            slots["running"] == "A" && slots["confirmed"] == "A",
            "{slots}"
        );
        self.admin
            .done("POST", "/system/reboot", &Value::Null)
            .map(drop)
    }
}

/// SYS-2: checked, written, tried, proved by its call to itself, kept.
fn good(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "9.1.0", |_| Ok(()))?;
    let update = variant::update(stage, &system, variant::BOARD, "9.1.0")?;
    let mut bench = Bench::start(stage, false)?;
    let begun = Instant::now();
    bench.try_it(&update, "9.1.0")?;
    stage.note(&format!(
        "uploaded and written after {:.0} s, {} bytes",
        begun.elapsed().as_secs_f64(),
        update.metadata()?.len()
    ))?;
    bench.comes_back()?;
    let slots = bench.upgrade_is("done")?;
    stage.note(&format!(
        "proved after {:.0} s",
        begun.elapsed().as_secs_f64()
    ))?;
    ensure!(
        slots["running"] == "B" && slots["confirmed"] == "B",
        "{slots}"
    );
    ensure!(slots["version"] == "9.1.0", "{slots}");
    // It stays, whatever happens to the power.
    bench.machine.cut_power()?;
    bench.back()?;
    let slots = bench.slots()?;
    ensure!(
        slots["running"] == "B" && slots["upgrade"]["state"] == "done",
        "{slots}"
    );
    Ok(())
}

/// The exchange of the new system doesn't run.
fn mute(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "9.2.0", |root| {
        Ok(fs::remove_file(root.join("usr/bin/pbxd"))?)
    })?;
    let mut bench = Bench::start(stage, false)?;
    // As if it had been uploaded and written, which takes its time.
    bench.machine.cut_power()?;
    variant::install_in(&bench.machine, 2, &system)?;
    variant::remember(stage, &bench.machine, "slot=A\nnext=B\ntries=3\n")?;
    bench.back()?;
    let slots = bench.upgrade_is("trying")?;
    ensure!(
        slots["running"] == "B" && slots["confirmed"] == "A",
        "{slots}"
    );
    // Nobody touches it.
    bench.comes_back()?;
    let slots = bench.upgrade_is("failed")?;
    ensure!(
        slots["running"] == "A" && slots["version"] != "9.2.0",
        "{slots}"
    );
    ensure!(slots["upgrade"]["version"] == "9.2.0", "{slots}");
    let reason = slots["upgrade"]["reason"].as_str().unwrap_or_default();
    ensure!(
        reason.contains("did not pass within five minutes"),
        "{slots}"
    );
    stage.note(reason)
}

/// The new system has nothing to start.
fn dead(stage: &Stage) -> Result<()> {
    /// As `platform::slots` allows.
    const TRIES: u32 = 3;
    let system = variant::system(stage, "9.3.0", |root| {
        Ok(fs::remove_file(root.join("usr/bin/supervisor"))?)
    })?;
    let update = variant::update(stage, &system, variant::BOARD, "9.3.0")?;
    let mut bench = Bench::start(stage, false)?;
    bench.try_it(&update, "9.3.0")?;
    bench.machine.ends(BOOTS_WITHIN)?;
    for _ in 0..TRIES {
        // A panic, and a restart by itself.
        bench.machine.start()?;
        bench.machine.ends(BOOTS_WITHIN)?;
    }
    bench.back()?;
    let slots = bench.slots()?;
    ensure!(
        slots["running"] == "A" && slots["upgrade"]["state"] == "failed",
        "{slots}"
    );
    let reason = slots["upgrade"]["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("did not start"), "{slots}");
    stage.note(reason)
}

/// Small files are enough: each is refused before its system is looked at, or because of it.
fn refused(stage: &Stage) -> Result<()> {
    let bench = Bench::start(stage, false)?;
    let before = variant::second_slot(&bench.machine)?;
    let system = stage.scratch().join("system");
    fs::write(&system, [0x5A; 300_000])?;
    let good = |version| variant::update(stage, &system, variant::BOARD, version);
    let changed = |version, change: &dyn Fn(&mut Vec<u8>)| -> Result<_> {
        let path = good(version)?;
        let mut bytes = fs::read(&path)?;
        change(&mut bytes);
        fs::write(&path, bytes)?;
        Ok(path)
    };
    let stranger = PrivateKey::new(Origin::Development, [9; 32]);
    let files = [
        (changed("9.4.1", &|bytes| bytes[100_000] ^= 1)?, "damaged"),
        (
            changed("9.4.2", &|bytes| bytes.truncate(200_000))?,
            "incomplete",
        ),
        (changed("9.4.3", &|bytes| bytes[0] = b'X')?, "not an update"),
        (
            variant::signed(stage, &system, variant::BOARD, "9.4.4", &stranger)?,
            "not signed",
        ),
        (
            variant::update(stage, &system, "operator-box-3000", "9.4.5")?,
            "for the board operator-box-3000",
        ),
        (good("0.0.1")?, "older"),
    ];
    for (file, why) in &files {
        bench.upload(file)?;
        let until = Instant::now() + BOOTS_WITHIN;
        loop {
            let slots = bench.slots()?;
            let reason = slots["upgrade"]["reason"].as_str().unwrap_or_default();
            if slots["upgrade"]["state"] == "failed" && reason.contains(why) {
                stage.note(reason)?;
                break;
            }
            ensure!(Instant::now() < until, "{why}: {slots}");
            thread::sleep(LOOK);
        }
    }
    let after = variant::second_slot(&bench.machine)?;
    ensure!(before == after, "something was written");
    Ok(())
}

/// The plug is pulled while the slot is half written; then the same upgrade is made.
fn cut(stage: &Stage) -> Result<()> {
    let system = variant::system(stage, "9.5.0", |_| Ok(()))?;
    let update = variant::update(stage, &system, variant::BOARD, "9.5.0")?;
    let mut bench = Bench::start(stage, true)?;
    let mut moments = Moments(0x0B0C);
    for cut in 0..times("IMAGE_CUT_UPGRADES", 1) {
        bench.upload(&update)?;
        // From 20 on it is written.
        let at = 21 + moments.next_ms(60);
        loop {
            let upgrade = bench.slots()?["upgrade"].take();
            ensure!(upgrade["state"] == "writing", "before {at} %: {upgrade}");
            if upgrade["per_cent"].as_u64() >= Some(at) {
                break;
            }
            thread::sleep(CLOSE_LOOK);
        }
        bench.machine.cut_power()?;
        stage.note(&format!("cut {cut} at {at} %"))?;
        let written = variant::second_slot(&bench.machine)?;
        let whole = fs::read(&system)?;
        ensure!(
            written[4096..8192] == whole[4096..8192],
            "nothing was written"
        );
        ensure!(
            written[..4096].iter().all(|octet| *octet == 0),
            "a part of a system could be started"
        );
        ensure!(!written.starts_with(&whole), "all of it was written");
        bench.back()?;
        let slots = bench.slots()?;
        ensure!(
            slots["running"] == "A" && slots["other_version"].is_null(),
            "{slots}"
        );
        let reason = slots["upgrade"]["reason"].as_str().unwrap_or_default();
        ensure!(reason.contains("cut off"), "{slots}");
    }
    bench.try_it(&update, "9.5.0")?;
    bench.comes_back()?;
    let slots = bench.upgrade_is("done")?;
    ensure!(slots["running"] == "B", "{slots}");
    Ok(())
}
