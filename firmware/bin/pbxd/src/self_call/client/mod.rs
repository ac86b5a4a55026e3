//! `pbxd self-call`: two phones on loopback that call one another through a running exchange, by its own
//! sockets, and listen whether sound passes.
//!
//! * this module: the run, over UDP and then over TLS, and its verdict in one line of JSON
//! * `ask`: the phones' numbers, by the exchange's control socket
//! * `phone`: a phone's signalling, on its `wire`
//! * `sound`: a phone's voice and ear
//!
//! Each phone is a thread that reads like a telephone call; all waiting ends at one moment.

mod ask;
mod phone;
mod sound;
pub mod wire;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use dsp::g711::Law;
use model::{ExtensionNumber, Secret};
use serde::Serialize;

use super::{USERNAMES, file};
use phone::{Identity, Phone};
use sound::{Sound, Tone};
use wire::Way;

/// Whom to call, and how long it may take.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The file that the exchange was started with.
    #[arg(long, value_name = "PATH")]
    file: PathBuf,

    /// The exchange's Unix socket.
    #[arg(long, value_name = "PATH", default_value = "var/run/pbxd.sock")]
    control: PathBuf,

    /// UDP port of SIP.
    #[arg(long, value_name = "PORT", default_value_t = 5060)]
    sip_port: u16,

    /// Port of SIP over TLS; without it nothing is called over TLS.
    #[arg(long, value_name = "PORT")]
    sips_port: Option<u16>,

    /// When the call has failed in any case, in seconds.
    #[arg(long, value_name = "S", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

/// So much before the end of the time the phones give up, and say what they waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a call that passed was like; of several the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Measured {
    /// From the INVITE to its answer.
    setup: Duration,
    /// Part of the packets that never came, 0 to 1.
    loss: f64,
}

impl Measured {
    fn worse(self, other: Self) -> Self {
        Self {
            setup: self.setup.max(other.setup),
            loss: self.loss.max(other.loss),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Verdict {
    Passed {
        passed: bool,
        setup_ms: u64,
        loss: f64,
    },
    Failed {
        passed: bool,
        reason: String,
    },
}

impl Verdict {
    fn of(result: Result<Measured>) -> Self {
        match result {
            Ok(measured) => Self::Passed {
                passed: true,
                setup_ms: u64::try_from(measured.setup.as_millis()).unwrap_or(u64::MAX),
                loss: (measured.loss * 10_000.0).round() / 10_000.0,
            },
            Err(error) => Self::Failed {
                passed: false,
                reason: format!("{error:#}"),
            },
        }
    }
}

/// Calls, prints the verdict, and ends with 0 where sound has passed.
pub fn run(options: &Options) -> ExitCode {
    let result = attempt(options);
    let passed = result.is_ok();
    let printed = serde_json::to_string(&Verdict::of(result))
        .map_err(anyhow::Error::from)
        .and_then(|line| Ok(writeln!(std::io::stdout(), "{line}")?));
    if passed && printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn attempt(options: &Options) -> Result<Measured> {
    let until = Instant::now() + Duration::from_secs(options.timeout) - LAST_WORDS;
    let name = options.file.display();
    let password =
        file::read(&options.file)?.with_context(|| format!("there is no file {name}"))?;
    let numbers = ask::numbers(&options.control, until)?;
    let round = |way, port, codecs| {
        let round = Round {
            way,
            exchange: (Ipv4Addr::LOCALHOST, port).into(),
            numbers: numbers.clone(),
            password: password.clone(),
            codecs,
            until,
        };
        round.run()
    };
    // Passed on packet by packet; then by another codec on either side, through the mixer's tick.
    let mut measured = round(Way::Udp, options.sip_port, [Law::A, Law::A])?;
    if let Some(port) = options.sips_port {
        measured = measured.worse(round(Way::Tls, port, [Law::A, Law::Mu])?);
    }
    Ok(measured)
}

/// One call.
#[derive(Clone, Debug)]
struct Round {
    way: Way,
    exchange: SocketAddr,
    numbers: [ExtensionNumber; 2],
    password: Secret,
    /// What either phone speaks, and nothing else.
    codecs: [Law; 2],
    /// When its phones give up.
    until: Instant,
}

impl Round {
    fn run(self) -> Result<Measured> {
        let (ends, end) = channel();
        let (ready, is_ready) = channel();
        let (caller, called) = (self.clone(), self.clone());
        in_thread("called", &ends, move || called.be_called(&ready))?;
        in_thread("caller", &ends, move || caller.call(&is_ready))?;
        let mut measured = Measured::default();
        // The first that fails says why; the other fails because of it.
        for _ in 0..2 {
            let rest = self.until.saturating_duration_since(Instant::now());
            let result = end
                .recv_timeout(rest + LAST_WORDS)
                .map_err(|_| anyhow!("the call over {} took too long", self.way))?;
            measured = measured.worse(result?);
        }
        Ok(measured)
    }

    fn phone(&self, index: usize) -> Result<Phone> {
        let identity = Identity {
            number: self.numbers[index].to_string(),
            username: USERNAMES[index],
            password: self.password.clone(),
        };
        let mut phone = Phone::new(self.way, self.exchange, identity, self.until)?;
        phone.register()?;
        Ok(phone)
    }

    fn call(&self, is_ready: &Receiver<()>) -> Result<Measured> {
        let mut phone = self.phone(0)?;
        let rest = self.until.saturating_duration_since(Instant::now());
        is_ready
            .recv_timeout(rest)
            .map_err(|_| anyhow!("the called phone was not ready in time"))?;
        let mut sound = Sound::new(self.codecs[0])?;
        let began = Instant::now();
        let mut dialog = phone.call(self.numbers[1].as_str(), &sound.offer()?)?;
        let setup = began.elapsed();
        let to = sound.answered(&dialog.answer)?;
        let heard = sound.talk(to, Tone::CALLER, self.until)?;
        phone.hang_up(&mut dialog)?;
        phone.unregister()?;
        let loss = (heard.judge(Tone::CALLED, Tone::CALLER))
            .with_context(|| format!("the caller over {}", self.way))?;
        Ok(Measured { setup, loss })
    }

    fn be_called(&self, ready: &Sender<()>) -> Result<Measured> {
        let mut phone = self.phone(1)?;
        // Where the caller is gone it has said why.
        let _ = ready.send(());
        let mut sound = Sound::new(self.codecs[1])?;
        let mut to = None;
        phone.take_call(|offer| {
            let (answer, address) = sound.answer(offer)?;
            to = Some(address);
            Ok(answer)
        })?;
        let to = to.context("the call had no session description")?;
        let heard = sound.talk(to, Tone::CALLED, self.until)?;
        phone.wait_for_end()?;
        phone.unregister()?;
        let loss = (heard.judge(Tone::CALLER, Tone::CALLED))
            .with_context(|| format!("the called phone over {}", self.way))?;
        Ok(Measured {
            setup: Duration::ZERO,
            loss,
        })
    }
}

/// Runs a phone's part and tells its end.
fn in_thread(
    name: &str,
    ends: &Sender<Result<Measured>>,
    part: impl FnOnce() -> Result<Measured> + Send + 'static,
) -> Result<()> {
    let ends = ends.clone();
    std::thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            // Nobody listens any more where the other phone has failed.
            drop(ends.send(part()));
        })
        .context("a thread for a phone")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(result: Result<Measured>) -> String {
        serde_json::to_string(&Verdict::of(result)).expect("JSON")
    }

    #[test]
    fn the_verdict_is_one_line() {
        let one = Measured {
            setup: Duration::from_micros(12_700),
            loss: 0.0,
        };
        let other = Measured {
            setup: Duration::ZERO,
            loss: 0.013_333,
        };
        assert_eq!(
            line(Ok(one.worse(other))),
            r#"{"passed":true,"setup_ms":12,"loss":0.0133}"#
        );
        let error = anyhow!("it heard nothing").context("the caller over UDP");
        assert_eq!(
            line(Err(error)),
            r#"{"passed":false,"reason":"the caller over UDP: it heard nothing"}"#
        );
    }
}
