//! The menu over ssh, asked for by a client of others.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use interop::{BOOTS_WITHIN, EXCHANGE, Host, Machine, Need, Scenario, Stage};
use serde_json::json;

/// The client.
const SSH: &str = "/usr/bin/ssh";

/// As loaded as the machine that runs it is.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "ssh_is_off_until_it_is_switched_on",
            &[Need::Machine],
            closed,
        ),
        Scenario::new(
            "ssh_leads_the_owner_of_a_key_to_the_menu_and_nowhere_else",
            &[Need::Machine, Need::Ssh],
            the_menu,
        ),
    ]
}

/// BOX-4.
fn closed(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    desk.connect(at(4021), BOOTS_WITHIN)
        .with_context(|| machine.said())?;
    let refused = desk.connect(at(22), Duration::ZERO);
    ensure!(refused.is_err(), "somebody answers on port 22");
    Ok(())
}

/// BOX-4: a key that is set comes in, and gets the menu whatever it asks for; nobody else does.
fn the_menu(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let key = stage.scratch().join("key");
    let other = stage.scratch().join("other");
    for path in [&key, &other] {
        let made = Command::new("/usr/bin/ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(path)
            .status()?;
        ensure!(made.success(), "no key was made");
    }
    let public = fs::read_to_string(key.with_extension("pub"))?;
    let settings = json!({ "enabled": true, "keys": [public.trim()] });
    machine.preset("system/ssh.json", &settings.to_string())?;
    let desk = stage.net.host(250)?;
    machine.start()?;
    desk.connect(at(4021), BOOTS_WITHIN)
        .with_context(|| machine.said())?;
    desk.connect(at(22), ANSWERS_WITHIN)
        .with_context(|| machine.said())?;

    let ssh = |key: &std::path::Path, user: &str, more: &[&str]| {
        run(&desk, stage, &format!("{user}@10.77.0.1"), key, more)
    };
    let menu = ssh(&key, "admin", &["-tt"])?;
    let shown = String::from_utf8_lossy(&menu.stdout);
    ensure!(shown.contains("Operator Box: Status"), "{menu:?}");

    // What is asked for besides is not what comes.
    for command in ["/usr/bin/pbxd --help", "cat /etc/passwd", "sh"] {
        let refused = ssh(&key, "admin", &[command])?;
        ensure!(!refused.status.success(), "{command}: {refused:?}");
        ensure!(refused.stdout.is_empty(), "{command}: {refused:?}");
    }
    let forwarded = ssh(&key, "admin", &["-W", "127.0.0.1:4021"])?;
    ensure!(!forwarded.status.success(), "{forwarded:?}");

    for (key, user) in [(&other, "admin"), (&key, "root"), (&key, "console")] {
        let refused = ssh(key, user, &["-tt"])?;
        ensure!(!refused.status.success(), "{user}: {refused:?}");
        let shown = String::from_utf8_lossy(&refused.stdout);
        ensure!(!shown.contains("Operator Box"), "{user}: {refused:?}");
    }
    Ok(())
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 77, 0, 1], port))
}

/// Runs the client for some seconds at most, which the menu would otherwise outlast.
fn run(
    desk: &Host,
    stage: &Stage,
    whom: &str,
    key: &std::path::Path,
    more: &[&str],
) -> Result<Output> {
    let known = stage.scratch().join("known_hosts");
    let (options, command): (Vec<&str>, Vec<&str>) =
        more.iter().copied().partition(|word| word.starts_with('-'));
    let begun = Instant::now();
    let mut client = desk.command("timeout");
    client
        .args(["20", SSH, "-F", "/dev/null", "-i"])
        .arg(key)
        .args(["-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"])
        .args(["-o", "StrictHostKeyChecking=accept-new", "-o"])
        .arg(format!("UserKnownHostsFile={}", known.display()))
        .env("TERM", "vt100")
        .stdin(Stdio::null());
    if options == ["-W"] {
        client.arg("-W").args(&command).arg(whom);
    } else {
        client.args(&options).arg(whom).args(&command);
    }
    let output = client.output().context("the client of ssh")?;
    stage.note(&format!(
        "{whom} {more:?}: {} after {:?}",
        output.status,
        begun.elapsed()
    ))?;
    Ok(output)
}
