//! A network of network namespaces: a switch, and hosts joined to it by veth pairs.
//!
//! Names carry our process id and a counter, so stages run side by side, and what a killed run left behind is swept by
//! the next one. There is no default route in any of them: no packet can leave.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Mutex, Once,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use nix::{
    sched::{CloneFlags, setns},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The host number of the exchange.
pub const EXCHANGE: u8 = 1;

const PREFIX: &str = "obx";
const RUN_NETNS: &str = "/run/netns";

/// The IPv4 address of a host.
pub fn address(host: u8) -> IpAddr {
    Ipv4Addr::new(10, 77, 0, host).into()
}

/// The IPv6 address of a host: the same number as in [`address`], read as hexadecimal digits (`.21` is `::21`).
pub fn address6(host: u8) -> IpAddr {
    let digits = u16::from(host / 100) << 8 | u16::from(host / 10 % 10) << 4 | u16::from(host % 10);
    Ipv6Addr::new(0xfd00, 0x77, 0, 0, 0, 0, 0, digits).into()
}

/// A switch and the hosts on it; gone on drop.
#[derive(Debug)]
pub struct Network {
    name: String,
    hosts: Mutex<Vec<u8>>,
}

/// A host of a network: a namespace with `eth0` on the switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its number: the last byte of its address.
    pub number: u8,
    netns: String,
}

impl Network {
    /// Makes the switch, without hosts.
    pub fn new() -> Result<Self> {
        static SWEEP: Once = Once::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        SWEEP.call_once(sweep);
        let name = format!(
            "{PREFIX}{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let network = Self {
            name,
            hosts: Mutex::default(),
        };
        let switch = network.switch();
        add_netns(&switch)?;
        ip(&[
            "-n",
            &switch,
            "link",
            "add",
            "br0",
            "type",
            "bridge",
            "forward_delay",
            "0",
        ])?;
        ip(&["-n", &switch, "link", "set", "br0", "up"])?;
        Ok(network)
    }

    /// The host of this number, made when first asked for.
    pub fn host(&self, number: u8) -> Result<Host> {
        let host = Host {
            number,
            netns: format!("{}-{number}", self.name),
        };
        let mut hosts = self
            .hosts
            .lock()
            .map_err(|_| anyhow!("another thread panicked while it made a host"))?;
        if hosts.contains(&number) {
            return Ok(host);
        }
        let (netns, switch, port) = (&host.netns, self.switch(), format!("p{number}"));
        add_netns(netns)?;
        hosts.push(number);
        // The pair is made inside the switch, so no name of ours ever shows in the machine's own namespace.
        ip(&[
            "-n", &switch, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns",
            netns,
        ])?;
        ip(&["-n", &switch, "link", "set", &port, "master", "br0", "up"])?;
        ip(&["-n", netns, "link", "set", "lo", "up"])?;
        ip(&[
            "-n",
            netns,
            "addr",
            "add",
            &format!("{}/24", address(number)),
            "dev",
            "eth0",
        ])?;
        ip(&[
            "-n",
            netns,
            "addr",
            "add",
            &format!("{}/64", address6(number)),
            "dev",
            "eth0",
            "nodad",
        ])?;
        ip(&["-n", netns, "link", "set", "eth0", "up"])?;
        Ok(host)
    }

    /// The switch as a host without an address: the place to capture all traffic (`br0`).
    pub fn tap(&self) -> Host {
        Host {
            number: 0,
            netns: self.switch(),
        }
    }

    fn switch(&self) -> String {
        format!("{}-sw", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let hosts = self
            .hosts
            .lock()
            .map(|hosts| hosts.clone())
            .unwrap_or_default();
        for number in hosts {
            // What a killed program left behind would live on in a namespace without a name.
            Host {
                number,
                netns: format!("{}-{number}", self.name),
            }
            .clear();
            let _ = ip(&["netns", "del", &format!("{}-{number}", self.name)]);
        }
        let _ = ip(&["netns", "del", &self.switch()]);
    }
}

impl Host {
    /// The IPv4 address.
    pub fn address(&self) -> IpAddr {
        address(self.number)
    }

    /// The IPv6 address.
    pub fn address6(&self) -> IpAddr {
        address6(self.number)
    }

    /// The name of its namespace.
    pub(crate) fn netns(&self) -> &str {
        &self.netns
    }

    /// A command that will run inside. It is killed by the kernel should the test's thread die without cleaning up.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        // Each of these execs the next: the child's process id is the program's.
        command.args([
            "netns",
            "exec",
            &self.netns,
            "setpriv",
            "--pdeathsig",
            "KILL",
            "--",
        ]);
        command.arg(program.as_ref());
        command
    }

    /// The processes of this name inside (the kernel keeps 15 characters of it).
    pub(crate) fn processes(&self, name: &str) -> Vec<Pid> {
        let is = |pid: &Pid| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
        };
        self.all_processes().into_iter().filter(is).collect()
    }

    /// `SIGKILL` to a process found inside.
    pub(crate) fn kill(pid: Pid) {
        let _ = kill(pid, Signal::SIGKILL);
    }

    /// Kills every process inside, by its id.
    pub(crate) fn clear(&self) {
        self.all_processes().into_iter().for_each(Self::kill);
    }

    fn all_processes(&self) -> Vec<Pid> {
        let Ok(output) = Command::new("ip")
            .args(["netns", "pids", &self.netns])
            .output()
        else {
            return Vec::new();
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let pids = text
            .lines()
            .filter_map(|line| line.trim().parse().ok())
            .map(Pid::from_raw);
        // A thread of ours may be inside for a moment.
        pids.filter(|pid| *pid != Pid::this()).collect()
    }

    /// A TCP connection made from inside, tried until `patience` ends.
    pub fn connect(&self, to: SocketAddr, patience: Duration) -> Result<TcpStream> {
        self.inside(move || {
            let until = std::time::Instant::now() + patience;
            loop {
                match TcpStream::connect_timeout(&to, Duration::from_secs(1)) {
                    Ok(stream) => return Ok(stream),
                    Err(error) if std::time::Instant::now() > until => {
                        return Err(error).with_context(|| format!("connect to {to}"));
                    }
                    Err(_) => thread::sleep(Duration::from_millis(20)),
                }
            }
        })
    }

    /// Runs a function on a thread of its own inside the namespace. Sockets it opens stay there.
    pub fn inside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = Path::new(RUN_NETNS).join(&self.netns);
        let thread = thread::Builder::new()
            .name(self.netns.clone())
            .spawn(move || {
                let netns =
                    fs::File::open(&path).with_context(|| format!("open {}", path.display()))?;
                setns(netns, CloneFlags::CLONE_NEWNET).context("enter the network namespace")?;
                work()
            })?;
        thread
            .join()
            .map_err(|_| anyhow!("the thread inside {} panicked", self.netns))?
    }
}

fn add_netns(name: &str) -> Result<()> {
    // The first `ip netns add` on a machine makes a mount point; two at once may trip over each other.
    ip(&["netns", "add", name]).or_else(|_| {
        thread::sleep(Duration::from_millis(100));
        let _ = ip(&["netns", "del", name]);
        ip(&["netns", "add", name])
    })
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("run ip")?;
    if !output.status.success() {
        bail!(
            "ip {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Removes the namespaces of processes that no longer live.
fn sweep() {
    let Ok(entries) = fs::read_dir(RUN_NETNS) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next())
            .and_then(|pid| pid.parse::<u32>().ok());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            // What its programs started in turn may still run.
            Host {
                number: 0,
                netns: name.clone(),
            }
            .clear();
            let _ = ip(&["netns", "del", &name]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_host_is_legible_in_both_addresses() {
        assert_eq!(address(21).to_string(), "10.77.0.21");
        assert_eq!(address6(21).to_string(), "fd00:77::21");
        assert_eq!(address6(101).to_string(), "fd00:77::101");
    }
}
