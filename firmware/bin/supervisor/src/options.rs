//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

/// What `--help` says.
pub const HELP: &str = "\
supervisor run: the exchange on this machine

  --data DIR           where its data is kept              (var)
  --sip-address ADDR   the address SIP listens on; may be given several times
                       (every address of this machine, high ports where low ones are refused)
  --sip-port PORT      UDP and TCP; TLS is one above       (5060)
  --https-port PORT    the administration                  (4021)
  --rtp-ports A-B      UDP ports of sound                  (16384-20479)
  --calls N            the most calls at once              (500)

It runs until Ctrl-C. RUST_LOG=debug says more.";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where data is kept.
    pub data: PathBuf,
    /// Addresses SIP listens on; empty means all of this machine.
    pub sip_addresses: Vec<IpAddr>,
    /// UDP and TCP port of SIP.
    pub sip_port: u16,
    /// Port of the administration.
    pub https_port: u16,
    /// First and last UDP port of sound.
    pub rtp_ports: (u16, u16),
    /// The most calls at once.
    pub calls: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: "var".into(),
            sip_addresses: Vec::new(),
            sip_port: 5060,
            https_port: 4021,
            rtp_ports: (16_384, 20_479),
            calls: 500,
        }
    }
}

/// Why nothing is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Help was asked for.
    Help,
    /// The command line is wrong, and how.
    Wrong(String),
}

impl Options {
    /// Reads the words after the program's name.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Self, Stop> {
        let mut words = words;
        match words.next().as_deref() {
            Some("run") => {}
            Some("--help" | "-h") | None => return Err(Stop::Help),
            Some(other) => return Err(Stop::Wrong(format!("`{other}` is not a command"))),
        }
        let mut options = Self::default();
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| Stop::Wrong(format!("`{word}` needs a value")))
            };
            match word.as_str() {
                "--help" | "-h" => return Err(Stop::Help),
                "--data" => options.data = value()?.into(),
                "--sip-address" => options.sip_addresses.push(number(&word, &value()?)?),
                "--sip-port" => options.sip_port = number(&word, &value()?)?,
                "--https-port" => options.https_port = number(&word, &value()?)?,
                "--calls" => options.calls = number(&word, &value()?)?,
                "--rtp-ports" => options.rtp_ports = range(&word, &value()?)?,
                other => return Err(Stop::Wrong(format!("`{other}` is not an option"))),
            }
        }
        Ok(options)
    }
}

fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, Stop> {
    text.parse()
        .map_err(|_| Stop::Wrong(format!("`{text}` does not fit {option}")))
}

fn range(option: &str, text: &str) -> Result<(u16, u16), Stop> {
    let (first, last) = text
        .split_once('-')
        .ok_or_else(|| Stop::Wrong(format!("{option} takes a range such as 16384-20479")))?;
    let (first, last) = (number(option, first)?, number(option, last)?);
    if first > last {
        return Err(Stop::Wrong(format!("{option}: {first} is above {last}")));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, Stop> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn run_alone_takes_what_is_usual() {
        assert_eq!(parse("run"), Ok(Options::default()));
    }

    #[test]
    fn each_option_is_taken() {
        let options =
            parse("run --data /d --sip-address 10.0.0.1 --sip-port 6060 --rtp-ports 9000-9999")
                .expect("a good line");
        assert_eq!(options.data, PathBuf::from("/d"));
        assert_eq!(
            options.sip_addresses,
            ["10.0.0.1".parse::<IpAddr>().expect("an address")]
        );
        assert_eq!((options.sip_port, options.rtp_ports), (6060, (9000, 9999)));
    }

    #[test]
    fn a_wrong_line_says_what_is_wrong() {
        for (line, part) in [
            ("walk", "walk"),
            ("run --sip-port many", "many"),
            ("run --data", "needs a value"),
            ("run --rtp-ports 9-1", "above"),
            ("run --colour", "--colour"),
        ] {
            match parse(line) {
                Err(Stop::Wrong(text)) => assert!(text.contains(part), "{text}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }
}
