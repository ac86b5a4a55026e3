//! How the process is told to stop: SIGTERM, SIGINT, and SIGHUP when its terminal goes away.

use std::future::poll_fn;
use std::task::Poll;

use anyhow::{Context, Result};
use nix::sys::signal::Signal as Name;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that say so.
pub struct Stop(Vec<Signal>);

impl Stop {
    /// From here on they no longer end the process by themselves.
    pub fn listen() -> Result<Self> {
        let signals = platform::signals::stops()
            .into_iter()
            .map(|name: Name| {
                signal(SignalKind::from_raw(name as i32)).with_context(|| name.to_string())
            })
            .collect::<Result<_>>()?;
        Ok(Self(signals))
    }

    /// Waits until one has come.
    pub async fn asked(&mut self) {
        poll_fn(|context| {
            let come = self
                .0
                .iter_mut()
                .any(|signal| signal.poll_recv(context).is_ready());
            if come { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
