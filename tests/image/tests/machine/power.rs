//! The plug is pulled while settings are changed.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use interop::{Admin, EXCHANGE, Machine, Need, Scenario, Stage, administrator};
use serde_json::Value;

use crate::{times, until, variant};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(
        "what_was_acknowledged_survives_power_cuts",
        &[Need::Machine],
        cuts,
    )]
}

/// Moments are drawn by this generator (Knuth's constants), so a run can be repeated.
pub(super) struct Moments(pub(super) u64);

impl Moments {
    pub(super) fn next_ms(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// BOX-7.
fn cuts(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let admin = administrator(stage, &machine)?;
    // Whoever is not answered when the plug is pulled need not wait for long.
    let hasty = administrator(stage, &machine)?.with_patience(Duration::from_secs(10));
    let mut moments = Moments(0x0B0C);
    let mut acknowledged = Vec::new();
    for cut in 0..times("IMAGE_POWER_CUTS", 2) {
        machine
            .boot(&admin)
            .with_context(|| format!("after {cut} cuts"))?;
        if cut == 0 {
            admin.first_visit()?;
        } else {
            sign_in(&admin)?;
        }
        all_there(&admin, &acknowledged).with_context(|| format!("after {cut} cuts"))?;
        let at = Duration::from_millis(moments.next_ms(4000));
        stage.note(&format!(
            "cut {cut} after {at:?}, {} users",
            acknowledged.len()
        ))?;
        // One thread changes settings until nobody answers; the plug is pulled from the other.
        let begun = Instant::now();
        thread::scope(|scope| -> Result<()> {
            let changing = scope.spawn(|| {
                let mut done = Vec::new();
                for number in 0.. {
                    let name = format!("user-{cut}-{number}");
                    if hasty.add_user(&name, "One Of Many").is_err() {
                        break;
                    }
                    done.push(name);
                }
                done
            });
            thread::sleep(at.saturating_sub(begun.elapsed()));
            machine.cut_power()?;
            acknowledged.extend(
                changing
                    .join()
                    .map_err(|_| anyhow::anyhow!("it panicked"))?,
            );
            Ok(())
        })?;
        variant::data_is_whole(stage, &machine).with_context(|| format!("after cut {cut}"))?;
    }
    ensure!(
        !acknowledged.is_empty(),
        "nothing was changed before the cuts"
    );
    machine.boot(&admin)?;
    sign_in(&admin)?;
    all_there(&admin, &acknowledged)?;
    stage.note(&format!(
        "{} users were acknowledged, all are there",
        acknowledged.len()
    ))
}

/// Signs in; a busy machine may ask to come again.
fn sign_in(admin: &Admin) -> Result<()> {
    until("the administrator is let in", || {
        match admin.sign_in_again() {
            Ok(()) => Ok(true),
            Err(error) if error.to_string().contains("503") => Ok(false),
            Err(error) => Err(error),
        }
    })
}

fn all_there(admin: &Admin, acknowledged: &[String]) -> Result<()> {
    let body = admin.done("GET", "/users", &Value::Null)?;
    let users = body["users"].as_array().context("no list of users")?;
    for name in acknowledged {
        ensure!(
            users.iter().any(|user| user["name"] == name.as_str()),
            "{name} was acknowledged and is gone"
        );
    }
    Ok(())
}
