//! Telephones that others wrote, behind one handle: what a person can do with a phone, and what it tells.
//!
//! [`Peer`] says which program it is. What only one of them can do fails on the other with the reason.

mod baresip;
mod mailbox;
mod pjsua;
mod words;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

pub use self::words::{By, Call, Event, MediaState, Peer, Setup, Srtp, Stats, Transport};
use self::{baresip::Baresip, mailbox::Mailbox, pjsua::Pjsua};
use crate::{Host, Stage, Wave};

/// How long a phone may take to do or tell something. Half of it is enough on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much longer is listened where a tone has not been heard for long enough.
const SLICE: Duration = Duration::from_millis(400);

/// A running telephone.
#[derive(Debug)]
pub struct Phone {
    name: String,
    host: Host,
    setup: Setup,
    mailbox: Arc<Mailbox>,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Pjsua(Pjsua),
    Baresip(Baresip),
}

impl Phone {
    /// Starts a telephone on this host and waits until it is ready. It does not register by itself.
    pub fn start(stage: &Stage, peer: Peer, host: u8, setup: Setup) -> Result<Self> {
        let host = stage.net.host(host)?;
        let name = format!("{}-{}", peer.name(), host.number);
        let mailbox = Arc::new(Mailbox::new(&name, stage.evidence())?);
        let engine = match peer {
            Peer::Pjsua => Engine::Pjsua(Pjsua::start(stage, &name, &host, &setup, &mailbox)?),
            Peer::Baresip => {
                Engine::Baresip(Baresip::start(stage, &name, &host, &setup, &mailbox)?)
            }
        };
        let phone = Self {
            name,
            host,
            setup,
            mailbox,
            engine,
        };
        phone.wait("be ready", |event| {
            matches!(event, Event::Ready).then_some(())
        })?;
        Ok(phone)
    }

    /// Its name in evidence and messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which tone it plays.
    pub fn tone_hz(&self) -> u32 {
        self.setup.tone_hz
    }

    /// Its number on the exchange, or else its own address as a URI.
    pub fn number(&self) -> String {
        match &self.setup.account {
            Some(account) => account.number.clone(),
            None => uri("phone", &self.setup, &self.host),
        }
    }

    /// Registers, and waits until that is done; fails with the answer if it is refused.
    pub fn register(&self) -> Result<()> {
        let code = self.try_register()?;
        ensure!(
            code == 200,
            "{} was refused registration: {code}",
            self.name
        );
        Ok(())
    }

    /// Registers; the answer's code.
    pub fn try_register(&self) -> Result<u16> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.register(true)?,
            Engine::Baresip(baresip) => baresip.register()?,
        }
        self.wait_registration()
    }

    /// Waits for the next outcome of a registration, also one the phone began by itself; the answer's code.
    pub fn wait_registration(&self) -> Result<u16> {
        self.wait("register", |event| match event {
            Event::Registered => Some(200),
            Event::RegisterFailed { code, .. } => Some(*code),
            _ => None,
        })
    }

    /// Takes the registration back.
    pub fn unregister(&self) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.register(false)?,
            Engine::Baresip(_) => bail!("baresip unregisters only at its end"),
        }
        self.wait("unregister", |event| {
            matches!(event, Event::Unregistered).then_some(())
        })
    }

    /// Calls a number of the exchange, or a `sip:` URI.
    pub fn dial(&self, to: &str) -> Result<Call> {
        let to = self.target(to)?;
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.dial(&to),
            Engine::Baresip(baresip) => baresip.dial(&to),
        }
    }

    /// Waits until it rings.
    pub fn incoming(&self) -> Result<Call> {
        self.incoming_from().map(|(call, _)| call)
    }

    /// Waits until it rings; the call and the caller's URI.
    pub fn incoming_from(&self) -> Result<(Call, String)> {
        self.wait("ring", |event| match event {
            Event::Incoming { call, remote } => Some((call.clone(), remote.clone())),
            _ => None,
        })
    }

    /// Fails if it rings within this time.
    pub fn assert_not_rung(&self, within: Duration) -> Result<()> {
        let rung = |event: &Event| matches!(event, Event::Incoming { .. }).then_some(());
        ensure!(!self.mailbox.comes(within, rung), "{} rang", self.name);
        Ok(())
    }

    /// Takes a ringing call.
    pub fn answer(&self, call: &Call) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.answer(call, 200),
            Engine::Baresip(baresip) => baresip.answer(call),
        }
    }

    /// Refuses a ringing call with this code (baresip: always 486).
    pub fn refuse(&self, call: &Call, code: u16) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.answer(call, code),
            Engine::Baresip(baresip) if code == 486 => baresip.hangup(call),
            Engine::Baresip(_) => bail!("baresip refuses with 486 only"),
        }
    }

    /// Ends a call, or cancels it before its answer.
    pub fn hangup(&self, call: &Call) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.on_call("hangup", call),
            Engine::Baresip(baresip) => baresip.hangup(call),
        }
    }

    /// Puts the other side on hold.
    pub fn hold(&self, call: &Call) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.on_call("hold", call),
            Engine::Baresip(baresip) => baresip.on_call("hold", call),
        }
    }

    /// Takes it back.
    pub fn resume(&self, call: &Call) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.on_call("resume", call),
            Engine::Baresip(baresip) => baresip.on_call("resume", call),
        }
    }

    /// Sends the other side to a third (REFER).
    pub fn transfer(&self, call: &Call, to: &str) -> Result<()> {
        let to = self.target(to)?;
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.transfer(call, &to),
            Engine::Baresip(baresip) => baresip.transfer(call, &to),
        }
    }

    /// Joins the far ends of two calls (REFER with Replaces).
    pub fn transfer_attended(&self, call: &Call, other: &Call) -> Result<()> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.transfer_attended(call, other),
            Engine::Baresip(_) => bail!("baresip knows no attended transfer"),
        }
    }

    /// Waits until the exchange says what became of a transfer: the last code.
    pub fn transferred(&self, call: &Call) -> Result<u16> {
        self.wait("hear of the transfer", |event| match event {
            Event::TransferStatus { call: of, code } if of == call && *code >= 200 => Some(*code),
            _ => None,
        })
    }

    /// Presses keys in a call.
    pub fn digits(&self, call: &Call, digits: &str, by: By) -> Result<()> {
        match (&self.engine, by) {
            (Engine::Pjsua(pjsua), _) => pjsua.digits(call, digits, by),
            (Engine::Baresip(baresip), By::Rfc4733) => baresip.digits(call, digits),
            (Engine::Baresip(_), By::Info) => bail!("baresip sends no INFO"),
        }
    }

    /// Waits for these keys to arrive; how each came, where the phone tells.
    pub fn hear_digits(&self, call: &Call, digits: &str) -> Result<Vec<Option<By>>> {
        let mut ways = Vec::new();
        for expected in digits.chars() {
            let (digit, by) =
                self.wait(
                    &format!("receive the digits {digits}"),
                    |event| match event {
                        Event::Digit {
                            call: of,
                            digit,
                            by,
                        } if of == call => Some((*digit, *by)),
                        _ => None,
                    },
                )?;
            ensure!(
                digit == expected,
                "{} received the digit {digit} where {expected} was sent of {digits}",
                self.name
            );
            ways.push(by);
        }
        Ok(ways)
    }

    /// Waits until the far end rings.
    pub fn ringing(&self, call: &Call) -> Result<()> {
        self.wait("hear ringing", |event| {
            matches!(event, Event::Ringing { call: of, .. } if of == call).then_some(())
        })
    }

    /// Waits until the call is answered.
    pub fn established(&self, call: &Call) -> Result<()> {
        self.wait("have its call answered", |event| match event {
            Event::Established { call: of, .. } if of == call => Some(Ok(())),
            Event::Ended {
                call: of,
                code,
                reason,
            } if of == call => Some(Err((*code, reason.clone()))),
            _ => None,
        })?
        .map_err(|(code, reason)| {
            anyhow::anyhow!(
                "{}'s call ended instead of being answered: {code} {reason}",
                self.name
            )
        })
    }

    /// Waits for the next call to be answered that this phone did not dial: after a transfer.
    pub fn next_established(&self) -> Result<Call> {
        self.wait("have a new call answered", |event| match event {
            Event::Established { call, .. } => Some(call.clone()),
            _ => None,
        })
    }

    /// The call this phone is in after a transfer: a new one if one is answered within this time, else still the old one.
    pub fn follow(&self, old: &Call, within: Duration) -> Result<Call> {
        let new = self
            .mailbox
            .wait("begin a new call", within, |event| match event {
                Event::Established { call, .. } if call != old => Some(call.clone()),
                _ => None,
            });
        match new {
            Ok(call) => Ok(call),
            Err(_)
                if !self.mailbox.comes(Duration::ZERO, |event| {
                    matches!(event, Event::Ended { call, .. } if call == old).then_some(())
                }) =>
            {
                Ok(old.clone())
            }
            Err(error) => Err(error.context("its old call has ended")),
        }
    }

    /// Waits until this phone's call is taken over by another; the new call.
    pub fn replaced(&self, call: &Call) -> Result<Call> {
        self.wait("have its call replaced", |event| match event {
            Event::Replaced { call: of, follow } if of == call => Some(follow.clone()),
            _ => None,
        })
    }

    /// Waits for the end of a call; its code.
    pub fn ended(&self, call: &Call) -> Result<u16> {
        self.wait("see its call end", |event| match event {
            Event::Ended { call: of, code, .. } if of == call => Some(*code),
            _ => None,
        })
    }

    /// Waits for a state of the sound; its codec (pjsua only).
    pub fn media(&self, call: &Call, wanted: MediaState) -> Result<String> {
        ensure!(
            matches!(self.engine, Engine::Pjsua(_)),
            "only pjsua tells the state of its media"
        );
        self.wait(&format!("have its sound {wanted:?}"), |event| match event {
            Event::Media {
                call: of,
                state,
                codec,
                ..
            } if of == call && *state == wanted => Some(codec.clone()),
            _ => None,
        })
    }

    /// Listens for so long; what was heard. (baresip hears one call at a time, and nothing after a hold.)
    pub fn listen(&self, call: &Call, length: Duration) -> Result<Wave> {
        let wave = match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.listen(call, length),
            Engine::Baresip(baresip) => baresip.listen(length),
        };
        wave.with_context(|| format!("{} could not listen", self.name))
    }

    /// Waits until this tone has been heard for so long in all; gives up after five times that time. The slack is for a loaded
    /// machine, where the phones' own jitter buffers cut and stretch; [`Phone::stats`] tells of loss.
    pub fn hear(&self, call: &Call, hz: u32, at_least: Duration) -> Result<()> {
        let until = Instant::now() + at_least * 5;
        let (mut total, mut heard) = (Duration::ZERO, Vec::new());
        let mut slice = at_least + SLICE;
        loop {
            let wave = self.listen(call, slice)?;
            total += wave.tone_time(hz);
            heard.push(wave.to_string());
            if total >= at_least {
                return Ok(());
            }
            let name = &self.name;
            ensure!(
                Instant::now() < until,
                "{name} heard {hz} Hz for {total:?}, not {at_least:?}; it heard: {}",
                heard.join(" | ")
            );
            slice = SLICE;
        }
    }

    /// How the sound of a call arrived so far (pjsua only).
    pub fn stats(&self, call: &Call) -> Result<Stats> {
        match &self.engine {
            Engine::Pjsua(pjsua) => pjsua.stats(call),
            Engine::Baresip(_) => bail!("baresip has no statistics to ask for"),
        }
    }

    /// Waits for something it tells, of all it has told and no one has waited for yet.
    pub fn wait<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> Result<T> {
        self.mailbox.wait(what, PATIENCE, pick)
    }

    fn target(&self, to: &str) -> Result<String> {
        if to.starts_with("sip:") {
            return Ok(to.to_owned());
        }
        let account = self
            .setup
            .account
            .as_ref()
            .with_context(|| format!("{} has no account to dial {to}", self.name))?;
        Ok(account.uri(to, self.setup.transport, self.setup.ipv6))
    }
}

/// The phone's own URI, or that of its account.
fn uri(user: &str, setup: &Setup, host: &Host) -> String {
    match &setup.account {
        Some(account) => account.uri(&account.number, Transport::Udp, setup.ipv6),
        None if setup.ipv6 => format!(
            "sip:{user}@[{}]{}",
            host.address6(),
            setup.transport.parameter()
        ),
        None => format!(
            "sip:{user}@{}{}",
            host.address(),
            setup.transport.parameter()
        ),
    }
}
