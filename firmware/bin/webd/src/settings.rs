//! What `webd` is told when it is started: flags, then environment, then what suits the appliance.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The text of `--help`.
pub const USAGE: &str = "\
webd: the administration of the exchange

  --data DIR                 data directory                      (WEBD_DATA, /var/lib/operator-box)
  --listen ADDR:PORT         administration over HTTPS           (WEBD_LISTEN, [::]:4021)
  --redirect-http ADDR:PORT  plain HTTP that leads there, or off (WEBD_REDIRECT_HTTP, [::]:80)
  --redirect-https ADDR:PORT HTTPS that leads there, or off      (WEBD_REDIRECT_HTTPS, [::]:443)
  --control PATH             control socket of pbxd              (WEBD_CONTROL, DIR/pbxd.sock)
  --system PATH              socket of the machine, for root's work (WEBD_SYSTEM, system.sock beside pbxd's)
  --first-visit on|off       whether the first password can be set; on, unless the data are not the box's own
  --name NAME                a DNS name of this host; repeatable (WEBD_NAMES, separated by commas)
  --visit ADDR:PORT          look whether an administration answers there, and serve nothing
  --help                     this text
";

/// How `webd` runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the store and the certificate are.
    pub data: PathBuf,
    /// The main listener: HTTPS.
    pub listen: SocketAddr,
    /// Plain HTTP that leads to the main listener.
    pub redirect_http: Option<SocketAddr>,
    /// HTTPS that leads to the main listener.
    pub redirect_https: Option<SocketAddr>,
    /// Where `pbxd` listens.
    pub control: PathBuf,
    /// Where the `system` child of the supervisor listens; on other machines nobody does.
    pub system: PathBuf,
    /// Whether the first password can be set where there is none. Not where the data are not the box's
    /// own: its administrator has one, and whoever comes first must not get another.
    pub first_visit: bool,
    /// Names the host has besides those it finds itself.
    pub names: Vec<String>,
}

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Serve.
    Run(Settings),
    /// Look whether an administration answers there.
    Visit(SocketAddr),
    /// Say how to start it.
    Help,
}

/// A command line that says nothing `webd` understands.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// There is no such flag.
    #[error("unknown flag {0}: see --help")]
    UnknownFlag(String),
    /// A flag stands without its value.
    #[error("{0} needs a value: see --help")]
    NoValue(String),
    /// A value is neither on nor off.
    #[error("{flag} needs on or off, not `{value}`")]
    InvalidSwitch {
        /// Which flag.
        flag: String,
        /// What was given.
        value: String,
    },
    /// A value isn't an address with a port.
    #[error("{flag} needs an address and a port such as 0.0.0.0:4021, not `{value}`")]
    InvalidAddress {
        /// Which flag.
        flag: String,
        /// What was given.
        value: String,
    },
}

impl Settings {
    /// Reads flags (without the program's name) and, where a flag is missing, `env`.
    ///
    /// # Errors
    /// [`SettingsError`], in words for the terminal.
    pub fn parse(
        flags: impl IntoIterator<Item = OsString>,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Command, SettingsError> {
        let mut given = Given::default();
        let mut flags = flags.into_iter();
        while let Some(flag) = flags.next() {
            let flag = flag.to_string_lossy().into_owned();
            if matches!(flag.as_str(), "--help" | "-h") {
                return Ok(Command::Help);
            }
            let mut visit = Vec::new();
            let slot = match flag.as_str() {
                "--visit" => &mut visit,
                _ => (given.slot(&flag)).ok_or_else(|| SettingsError::UnknownFlag(flag.clone()))?,
            };
            let Some(value) = flags.next() else {
                return Err(SettingsError::NoValue(flag));
            };
            slot.push(value);
            if let Some(value) = visit.pop() {
                return address(&flag, Some(value), "").map(Command::Visit);
            }
        }
        given.settings(env).map(Command::Run)
    }
}

#[derive(Default)]
struct Given {
    data: Vec<OsString>,
    listen: Vec<OsString>,
    redirect_http: Vec<OsString>,
    redirect_https: Vec<OsString>,
    control: Vec<OsString>,
    system: Vec<OsString>,
    first_visit: Vec<OsString>,
    names: Vec<OsString>,
}

impl Given {
    fn slot(&mut self, flag: &str) -> Option<&mut Vec<OsString>> {
        Some(match flag {
            "--data" => &mut self.data,
            "--listen" => &mut self.listen,
            "--redirect-http" => &mut self.redirect_http,
            "--redirect-https" => &mut self.redirect_https,
            "--control" => &mut self.control,
            "--system" => &mut self.system,
            "--first-visit" => &mut self.first_visit,
            "--name" => &mut self.names,
            _ => return None,
        })
    }

    fn settings(
        mut self,
        env: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Settings, SettingsError> {
        let last = |given: &mut Vec<OsString>, name: &str| given.pop().or_else(|| env(name));
        let data = last(&mut self.data, "WEBD_DATA")
            .map_or_else(|| PathBuf::from("/var/lib/operator-box"), PathBuf::from);
        let listen = last(&mut self.listen, "WEBD_LISTEN");
        let redirect_http = last(&mut self.redirect_http, "WEBD_REDIRECT_HTTP");
        let redirect_https = last(&mut self.redirect_https, "WEBD_REDIRECT_HTTPS");
        let control = last(&mut self.control, "WEBD_CONTROL")
            .map_or_else(|| data.join("pbxd.sock"), PathBuf::from);
        let system = last(&mut self.system, "WEBD_SYSTEM")
            .map_or_else(|| control.with_file_name("system.sock"), PathBuf::from);
        let mut names: Vec<String> = self.names.iter().map(text).collect();
        if let Some(more) = env("WEBD_NAMES") {
            names.extend(text(&more).split(',').map(|name| name.trim().to_owned()));
        }
        names.retain(|name| !name.is_empty());
        Ok(Settings {
            data,
            listen: address("--listen", listen, "[::]:4021")?,
            redirect_http: optional_address("--redirect-http", redirect_http, "[::]:80")?,
            redirect_https: optional_address("--redirect-https", redirect_https, "[::]:443")?,
            control,
            system,
            first_visit: switch("--first-visit", self.first_visit.pop())?,
            names,
        })
    }
}

fn text(value: &OsString) -> String {
    value.to_string_lossy().into_owned()
}

fn switch(flag: &str, value: Option<OsString>) -> Result<bool, SettingsError> {
    let value = value.map_or_else(|| "on".to_owned(), |value| text(&value));
    match value.as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(SettingsError::InvalidSwitch {
            flag: flag.to_owned(),
            value,
        }),
    }
}

fn optional_address(
    flag: &str,
    value: Option<OsString>,
    otherwise: &str,
) -> Result<Option<SocketAddr>, SettingsError> {
    if value.as_ref().is_some_and(|value| value == "off") {
        return Ok(None);
    }
    address(flag, value, otherwise).map(Some)
}

fn address(
    flag: &str,
    value: Option<OsString>,
    otherwise: &str,
) -> Result<SocketAddr, SettingsError> {
    let value = value.map_or_else(|| otherwise.to_owned(), |value| text(&value));
    value.parse().map_err(|_| SettingsError::InvalidAddress {
        flag: flag.to_owned(),
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Command, SettingsError> {
        Settings::parse(flags.iter().map(OsString::from), |name| {
            (name == "WEBD_NAMES").then(|| "pbx.example.com, box".into())
        })
    }

    #[test]
    fn flags_go_before_what_suits_the_appliance() {
        let Ok(Command::Run(settings)) = parse(&[
            "--data",
            "/tmp/d",
            "--listen",
            "127.0.0.1:0",
            "--redirect-http",
            "off",
            "--name",
            "x",
        ]) else {
            panic!("these flags are good");
        };
        assert_eq!(settings.control, PathBuf::from("/tmp/d/pbxd.sock"));
        assert_eq!(settings.system, PathBuf::from("/tmp/d/system.sock"));
        assert_eq!(settings.listen.port(), 0);
        assert_eq!(settings.redirect_http, None);
        assert_eq!(settings.redirect_https.map(|a| a.port()), Some(443));
        assert_eq!(settings.names, ["x", "pbx.example.com", "box"]);
    }

    #[test]
    fn the_machine_is_asked_beside_the_exchange() {
        let system = |flags: &[&str]| match parse(flags) {
            Ok(Command::Run(settings)) => Some(settings.system),
            _ => None,
        };
        let control = ["--control", "/run/operator-box/pbxd.sock"];
        let beside = PathBuf::from("/run/operator-box/system.sock");
        assert_eq!(system(&control), Some(beside));
        assert_eq!(system(&["--system", "/x"]), Some(PathBuf::from("/x")));
    }

    #[test]
    fn the_first_visit_can_be_switched_off() {
        for (flags, first_visit) in [
            (&[][..], true),
            (&["--first-visit", "on"], true),
            (&["--first-visit", "off"], false),
        ] {
            let Ok(Command::Run(settings)) = parse(flags) else {
                panic!("these flags are good");
            };
            assert_eq!(settings.first_visit, first_visit, "{flags:?}");
        }
        assert!(matches!(
            parse(&["--first-visit", "no"]),
            Err(SettingsError::InvalidSwitch { .. })
        ));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        assert_eq!(
            parse(&["--verbose"]),
            Err(SettingsError::UnknownFlag("--verbose".into()))
        );
        assert_eq!(
            parse(&["--data"]),
            Err(SettingsError::NoValue("--data".into()))
        );
        assert!(matches!(
            parse(&["--listen", "4021"]),
            Err(SettingsError::InvalidAddress { .. })
        ));
        assert_eq!(parse(&["--data", "x", "--help"]), Ok(Command::Help));
    }
}
