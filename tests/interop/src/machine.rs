//! The exchange's image on a machine of its own: booted in QEMU, joined to the stage's switch, with its serial line.

use std::{
    env, fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::{Admin, Host, Stage, address, child::Child, stage::workspace};

/// The image under test; without it, the one that `make dev-image` makes.
const IMAGE: &str = "INTEROP_IMAGE";

/// A machine without hardware virtualisation boots in five to forty seconds, and where everything is
/// being built beside it in some minutes.
pub const BOOTS_WITHIN: Duration = Duration::from_secs(400);

/// How large the card is: larger than the image, so that data has to grow.
const CARD: u64 = 2 << 30;

const MEMORY_MIB: u32 = 384;

/// What Linux says where the emulated timer got too little of the host's processor. No machine that
/// exists says so: it is switched on again.
const STARVED: &str = "IO-APIC + timer doesn't work";
/// So often.
const STARVED_AT_MOST: u32 = 5;

/// A machine with a card, on or off.
#[derive(Debug)]
pub struct Machine {
    host: Host,
    card: PathBuf,
    folder: PathBuf,
    evidence: PathBuf,
    qemu: Option<Child>,
    serial: Option<Serial>,
    starts: u32,
    /// Bytes a second that the card takes; none: whatever the disk below does.
    card_speed: Option<u32>,
}

/// The serial line; all that was ever written on it stays in `seen`.
#[derive(Debug)]
struct Serial {
    line: UnixStream,
    seen: Vec<u8>,
    /// Up to where [`Machine::expect`] has read.
    read: usize,
}

impl Machine {
    /// A machine with a new card, still off, on the port of the switch that this host would have.
    pub fn new(stage: &Stage, number: u8) -> Result<Self> {
        let host = stage.net.host(number)?;
        // The machine is joined to the switch in the host's place.
        for arguments in [
            "addr flush dev eth0",
            "link add br0 type bridge forward_delay 0",
            "link set eth0 master br0",
            "link set br0 up",
            "tuntap add dev tap0 mode tap",
            "link set tap0 master br0 up",
        ] {
            let mut command = Command::new("ip");
            command
                .args(["-n", host.netns()])
                .args(arguments.split(' '));
            // `ip tuntap` works in its own namespace only.
            if arguments.starts_with("tuntap") {
                command = host.command("ip");
                command.args(arguments.split(' '));
            }
            let output = command.output().context("run ip")?;
            ensure!(
                output.status.success(),
                "ip {arguments}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let card = stage.scratch().join("card.img");
        let output = Command::new("cp")
            .arg("--sparse=always")
            .args([&image(), &card])
            .output()
            .context("copy the image")?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        fs::File::options().write(true).open(&card)?.set_len(CARD)?;
        Ok(Self {
            host,
            card,
            folder: stage.scratch().to_owned(),
            evidence: stage.evidence().to_owned(),
            qemu: None,
            serial: None,
            starts: 0,
            card_speed: None,
        })
    }

    /// One that was told its address on the stage's network before its first start.
    pub fn installed(stage: &Stage, number: u8) -> Result<Self> {
        let machine = Self::new(stage, number)?;
        let settings = json!({
            "host_name": "operator-box",
            "interfaces": [{
                "name": "eth0",
                "addressing": { "addressing": "static", "address": format!("{}/24", address(number)) },
            }],
            "gateway": null,
            "dns": [],
        });
        machine.preset("system/network.json", &settings.to_string())?;
        Ok(machine)
    }

    /// Puts a file on the data partition of a card that was never started.
    pub fn preset(&self, path: &str, text: &str) -> Result<()> {
        const MIB: u64 = 1 << 20;
        // The data is the fourth partition: its place stands in the table.
        let table = fs::read(&self.card).map(|bytes| bytes[446 + 3 * 16..][..16].to_vec())?;
        let sectors = |at: usize| {
            u64::from(u32::from_le_bytes([
                table[at],
                table[at + 1],
                table[at + 2],
                table[at + 3],
            ]))
        };
        let (start, length) = (sectors(8) * 512, sectors(12) * 512);
        let data = self.folder.join("data.ext4");
        let copy = |from: &Path, to: &Path, skip: u64, seek: u64| -> Result<()> {
            let output = Command::new("dd")
                .arg(format!("if={}", from.display()))
                .arg(format!("of={}", to.display()))
                .args(["bs=1M", "conv=notrunc,sparse"])
                .arg(format!("skip={}", skip / MIB))
                .arg(format!("seek={}", seek / MIB))
                .arg(format!("count={}", length / MIB))
                .output()?;
            ensure!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            Ok(())
        };
        copy(&self.card, &data, start, 0)?;
        let file = self.folder.join("preset");
        fs::write(&file, text)?;
        let folder = Path::new(path)
            .parent()
            .and_then(Path::to_str)
            .unwrap_or_default();
        for request in [
            format!("mkdir {folder}"),
            format!("write {} {path}", file.display()),
        ] {
            Command::new("/usr/sbin/debugfs")
                .args(["-w", "-R", &request])
                .arg(&data)
                .output()
                .context("run debugfs")?;
        }
        copy(&data, &self.card, 0, start)
    }

    /// Has its card take so many bytes a second at most, from the next start on.
    pub fn slow_card(&mut self, bytes_a_second: u32) {
        self.card_speed = Some(bytes_a_second);
    }

    /// The image that the cards of machines are made of.
    pub fn image() -> PathBuf {
        image()
    }

    /// Switches it on.
    pub fn start(&mut self) -> Result<()> {
        self.starts += 1;
        let socket = self.folder.join(format!("serial{}", self.starts));
        let mut command = self.host.command("qemu-system-x86_64");
        // Software only: what a machine offers beyond that differs, and half of it doesn't work.
        command.args(["-accel", "tcg", "-machine", "q35", "-m"]);
        command.arg(MEMORY_MIB.to_string());
        command.args(["-display", "none", "-no-reboot", "-monitor"]);
        let monitor = self.monitor();
        let _ = fs::remove_file(&monitor);
        command.arg(format!("unix:{},server=on,wait=off", monitor.display()));
        command.args(["-device", "i6300esb"]);
        command.arg("-serial");
        command.arg(format!("unix:{},server=on,wait=off", socket.display()));
        command.arg("-drive");
        let speed = self
            .card_speed
            .map(|bytes| format!(",throttling.bps-write={bytes}"));
        command.arg(format!(
            "file={},format=raw,if=none,id=card,cache=writeback{}",
            self.card.display(),
            speed.unwrap_or_default()
        ));
        command.args(["-device", "ide-hd,drive=card"]);
        command.args(["-netdev", "tap,id=lan,ifname=tap0,script=no,downscript=no"]);
        command.args([
            "-device",
            "virtio-net-pci,netdev=lan,romfile=,mac=02:00:00:00:00:01",
        ]);
        let qemu = Child::start("qemu", command, &self.evidence.join("qemu.log"))?;
        self.qemu = Some(qemu);
        let until = Instant::now() + Duration::from_secs(20);
        let line = loop {
            match UnixStream::connect(&socket) {
                Ok(line) => break line,
                Err(error) if Instant::now() > until => {
                    return Err(error).context("the serial line of the machine");
                }
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        line.set_read_timeout(Some(Duration::from_millis(100)))?;
        self.serial = Some(Serial {
            line,
            seen: Vec::new(),
            read: 0,
        });
        Ok(())
    }

    /// Switches it on and waits until its administration can be reached.
    pub fn boot(&mut self, admin: &Admin) -> Result<()> {
        for _ in 0..STARVED_AT_MOST {
            self.start()?;
            let until = Instant::now() + BOOTS_WITHIN;
            loop {
                self.listen()?;
                match admin.reachable(Duration::from_secs(1)) {
                    Ok(()) => return Ok(()),
                    Err(_) if self.said().contains(STARVED) => break,
                    Err(error) if Instant::now() > until => {
                        return Err(error).with_context(|| self.said());
                    }
                    Err(_) => {}
                }
            }
            self.cut_power()?;
        }
        bail!("the host is too busy for a machine\n{}", self.said())
    }

    /// Pulls the plug.
    pub fn cut_power(&mut self) -> Result<()> {
        if let Some(mut qemu) = self.qemu.take() {
            qemu.kill()?;
        }
        self.note()
    }

    /// Waits until it has switched itself off or asks for a restart (QEMU ends at both).
    pub fn ends(&mut self, within: Duration) -> Result<()> {
        let until = Instant::now() + within;
        let mut qemu = self.qemu.take().context("the machine is off")?;
        loop {
            // The line's buffer must not fill.
            self.listen()?;
            if qemu.wait(Duration::from_millis(100)).is_ok() {
                return self.note();
            }
            if Instant::now() > until {
                bail!("the machine still runs\n{}", self.said());
            }
        }
    }

    /// Waits until the serial line has shown a text after what was expected before.
    pub fn expect(&mut self, text: &str, within: Duration) -> Result<()> {
        let until = Instant::now() + within;
        loop {
            self.listen()?;
            let serial = self.serial.as_mut().context("the machine is off")?;
            let rest = &serial.seen[serial.read..];
            if let Some(at) = rest
                .windows(text.len())
                .position(|part| part == text.as_bytes())
            {
                serial.read += at + text.len();
                return Ok(());
            }
            if Instant::now() > until {
                bail!("the serial line did not show `{text}`\n{}", self.said());
            }
        }
    }

    /// Types on the serial line.
    pub fn send(&mut self, keys: &str) -> Result<()> {
        let serial = self.serial.as_mut().context("the machine is off")?;
        Ok(serial.line.write_all(keys.as_bytes())?)
    }

    /// Types on the keyboard, in QEMU's words for keys.
    pub fn press(&self, keys: &[&str]) -> Result<()> {
        for key in keys {
            self.ask(&format!("sendkey {key}"))?;
            // As fast as fingers: what comes at once is one chord.
            thread::sleep(Duration::from_millis(300));
        }
        Ok(())
    }

    /// Presses its power button.
    pub fn press_power_button(&self) -> Result<()> {
        self.ask("system_powerdown")
    }

    /// What stands on the screen, which is in text mode: 25 lines.
    pub fn screen(&self) -> Result<String> {
        const COLUMNS: usize = 80;
        const CELLS: usize = COLUMNS * 25;
        let file = self.folder.join("screen");
        let _ = fs::remove_file(&file);
        // The memory of a VGA's text: a character and its colours, line by line.
        self.ask(&format!(
            "pmemsave 0xb8000 {} \"{}\"",
            CELLS * 2,
            file.display()
        ))?;
        let cells = fs::read(&file).context("the screen was not saved")?;
        let lines = cells.chunks(2 * COLUMNS).map(|line| {
            let text = line.chunks(2).map(|cell| match cell.first() {
                Some(&shown) if (b' '..=b'~').contains(&shown) => char::from(shown),
                _ => ' ',
            });
            text.collect::<String>().trim_end().to_owned()
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Asks QEMU itself, and waits until it is done.
    fn ask(&self, command: &str) -> Result<()> {
        const PROMPT: &[u8] = b"(qemu) ";
        let mut line = UnixStream::connect(self.monitor()).context("QEMU's monitor")?;
        line.set_read_timeout(Some(Duration::from_secs(30)))?;
        let until_prompt = |line: &mut UnixStream| -> Result<()> {
            let mut seen = Vec::new();
            let mut octets = [0; 1024];
            while !seen.ends_with(PROMPT) {
                let count = line.read(&mut octets).context("QEMU's monitor is silent")?;
                ensure!(count > 0, "QEMU's monitor hung up");
                seen.extend(&octets[..count]);
            }
            Ok(())
        };
        until_prompt(&mut line)?;
        line.write_all(format!("{command}\n").as_bytes())?;
        until_prompt(&mut line)
    }

    fn monitor(&self) -> PathBuf {
        self.folder.join("monitor")
    }

    /// All that the serial line has shown since the machine was switched on.
    pub fn said(&self) -> String {
        let seen = self.serial.as_ref().map(|serial| serial.seen.as_slice());
        String::from_utf8_lossy(seen.unwrap_or_default()).into_owned()
    }

    /// The card, to look into while the machine is off.
    pub fn card(&self) -> &Path {
        &self.card
    }

    /// Its place on the switch.
    pub fn host(&self) -> &Host {
        &self.host
    }

    fn listen(&mut self) -> Result<()> {
        let serial = self.serial.as_mut().context("the machine is off")?;
        let mut bytes = [0; 4096];
        match serial.line.read(&mut bytes) {
            Ok(0) => thread::sleep(Duration::from_millis(50)),
            Ok(count) => serial.seen.extend(&bytes[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Keeps what the serial line showed among the evidence.
    fn note(&mut self) -> Result<()> {
        let path = self.evidence.join(format!("serial{}.log", self.starts));
        Ok(fs::write(path, self.said())?)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.listen();
        let _ = self.note();
    }
}

/// Why no machine can be started here.
pub(crate) fn missing() -> Option<String> {
    let image = image();
    if !image.exists() {
        return Some(format!(
            "{} is missing: `make dev-image` makes it",
            image.display()
        ));
    }
    let tools = [
        ("qemu-system-x86_64", "/usr/bin/qemu-system-x86_64"),
        ("debugfs", "/usr/sbin/debugfs"),
    ];
    tools
        .into_iter()
        .find(|(_, path)| !Path::new(path).exists())
        .map(|(name, _)| format!("{name} is not installed: `.ci/image-tools` does that"))
}

fn image() -> PathBuf {
    env::var_os(IMAGE).map_or_else(
        || workspace().join("target/image/generic-pc.img"),
        PathBuf::from,
    )
}
