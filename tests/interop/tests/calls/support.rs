//! Extensions with phones on them, and the steps every scenario has in common.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use interop::{Call, Exchange, Need, Peer, Phone, Setup, Stage};

/// How long is listened for a tone that must not be there.
const LISTEN: Duration = Duration::from_millis(2500);
/// How long a tone must be heard.
const HEARD: Duration = Duration::from_secs(2);
/// By then a transferred phone has begun its new call, if there is to be one.
const SETTLE: Duration = Duration::from_secs(2);

/// What happens in a scenario.
pub(crate) type Play = fn(&Stage) -> Result<()>;

/// The exchange with phones at 10.77.0.21, .22, … registered as extensions 21, 22, …
pub(crate) struct Office {
    // Phones first: they unregister while the exchange still runs.
    pub(crate) phones: Vec<Phone>,
    pub(crate) exchange: Exchange,
}

impl Office {
    /// One registered phone for each set-up. Their tones differ: 1000, 440, 700, 1400 Hz.
    pub(crate) fn open(stage: &Stage, phones: &[(Peer, Setup)]) -> Result<Self> {
        let exchange = Exchange::start(stage)?;
        let mut office = Self {
            phones: Vec::new(),
            exchange,
        };
        for ((peer, setup), (host, tone_hz)) in
            phones.iter().zip((21..).zip([1000, 440, 700, 1400]))
        {
            let account = Some(office.exchange.add_extension(&host.to_string())?);
            let phone = Phone::start(
                stage,
                *peer,
                host,
                Setup {
                    account,
                    tone_hz,
                    ..setup.clone()
                },
            )?;
            phone.register()?;
            office.phones.push(phone);
        }
        Ok(office)
    }

    /// With plain set-ups.
    pub(crate) fn of(stage: &Stage, peers: &[Peer]) -> Result<Self> {
        let phones: Vec<_> = peers.iter().map(|peer| (*peer, Setup::default())).collect();
        Self::open(stage, &phones)
    }

    /// The phones, by pattern: `let [alice, bob] = office.phones()?`.
    pub(crate) fn phones<const N: usize>(&self) -> Result<&[Phone; N]> {
        self.phones
            .first_chunk()
            .context("the office has fewer phones")
    }
}

/// What a scenario with these phones needs.
pub(crate) fn needs(peers: &[Peer]) -> Vec<Need> {
    let program = |peer: &Peer| match peer {
        Peer::Pjsua => Need::Pjsua,
        Peer::Baresip => Need::Baresip,
    };
    peers.iter().map(program).chain([Need::Exchange]).collect()
}

/// One calls, the other answers: the call at each.
pub(crate) fn connect(caller: &Phone, callee: &Phone) -> Result<(Call, Call)> {
    let out = caller.dial(&callee.number())?;
    let call = callee.incoming()?;
    caller.ringing(&out)?;
    callee.answer(&call)?;
    caller.established(&out)?;
    callee.established(&call)?;
    Ok((out, call))
}

/// The tone of the other is heard.
pub(crate) fn hear(phone: &Phone, call: &Call, other: &Phone) -> Result<()> {
    phone.hear(call, other.tone_hz(), HEARD)
}

/// Each hears the other.
pub(crate) fn hear_both(one: (&Phone, &Call), two: (&Phone, &Call)) -> Result<()> {
    hear(one.0, one.1, two.0)?;
    hear(two.0, two.1, one.0)
}

/// The tone of the other is not heard.
pub(crate) fn hear_nothing_of(phone: &Phone, call: &Call, other: &Phone) -> Result<()> {
    phone
        .listen(call, LISTEN)?
        .assert_no_tone(other.tone_hz(), Duration::from_millis(300))
}

/// The caller hangs up, and the callee sees it.
pub(crate) fn end(caller: (&Phone, &Call), callee: (&Phone, &Call)) -> Result<()> {
    caller.0.hangup(caller.1)?;
    callee.0.ended(callee.1)?;
    caller.0.ended(caller.1)?;
    Ok(())
}

/// The call a transferred phone is in now: a new one where it was sent away by the proxy itself, its old one where the
/// exchange stayed between and joined the far ends.
pub(crate) fn follow(phone: &Phone, old: &Call) -> Result<Call> {
    phone.follow(old, SETTLE)
}

/// The call is refused with one of these codes.
pub(crate) fn refused(caller: &Phone, number: &str, codes: &[u16]) -> Result<()> {
    let out = caller.dial(number)?;
    let code = caller.ended(&out)?;
    ensure!(
        codes.contains(&code),
        "a call to {number} ended with {code}, not one of {codes:?}"
    );
    Ok(())
}
