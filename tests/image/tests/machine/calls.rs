//! Real phones call through the image, with sound measured at both ends.

use std::time::Duration;

use anyhow::Result;
use interop::{Exchange, Kind, Need, Peer, Phone, Scenario, Setup, Stage, Transport};

use crate::register;

/// How long a tone must be heard.
const HEARD: Duration = Duration::from_secs(2);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(
        "phones_call_each_other_through_the_image",
        &[Need::Machine, Need::Pjsua],
        calls,
    )]
}

/// One phone by UDP, one by TLS, each calls the other.
fn calls(stage: &Stage) -> Result<()> {
    let exchange = Exchange::start_as(stage, Kind::Image)?;
    let phone = |host: u8, tone_hz: u32, transport: Transport| -> Result<Phone> {
        let setup = Setup {
            account: Some(exchange.add_extension(&host.to_string())?),
            tone_hz,
            transport,
            ..Setup::default()
        };
        let phone = Phone::start(stage, Peer::Pjsua, host, setup)?;
        register(&phone)?;
        Ok(phone)
    };
    let alice = phone(21, 1000, Transport::Udp)?;
    let bob = phone(22, 440, Transport::Tls)?;
    for (caller, callee) in [(&alice, &bob), (&bob, &alice)] {
        let out = caller.dial(&callee.number())?;
        let call = callee.incoming()?;
        caller.ringing(&out)?;
        callee.answer(&call)?;
        caller.established(&out)?;
        callee.established(&call)?;
        caller.hear(&out, callee.tone_hz(), HEARD)?;
        callee.hear(&call, caller.tone_hz(), HEARD)?;
        caller.hangup(&out)?;
        callee.ended(&call)?;
        caller.ended(&out)?;
    }
    Ok(())
}
