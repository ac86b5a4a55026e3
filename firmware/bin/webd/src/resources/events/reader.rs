//! One reader of the events: its place in the queue, and when its stream ends.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event as SseEvent;
use futures_util::{Stream, stream};
use serde::Serialize;
use store::Store;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::hello;
use crate::app::App;
use crate::clock;
use crate::event::{Bye, ByeReason, Heartbeat};
use crate::gate::LoggedIn;
use crate::hub::Event;
use crate::resources::session::remaining_s;

/// The session is looked at so often, besides when it is known to have changed; and so often a
/// heartbeat comes: proxies and the networks of phones forget a silent connection.
const LOOK: Duration = Duration::from_secs(15);

struct Reader {
    app: App,
    logged_in: LoggedIn,
    events: broadcast::Receiver<Event>,
    sessions: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    look: Interval,
    state: State,
    _permit: OwnedSemaphorePermit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The picture comes next.
    Hello,
    /// Changes come.
    Live,
    /// Nothing comes any more.
    Over,
}

enum Turn {
    Event(Event),
    Behind,
    Look,
    Beat,
    Ending,
}

/// The events for one session, from a picture of now until it ends.
pub(super) fn stream(
    app: App,
    logged_in: LoggedIn,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let mut look = interval_at(Instant::now() + LOOK, LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = Reader {
        events: app.hub.events(),
        sessions: app.hub.sessions(),
        ending: app.ending.clone(),
        look,
        state: State::Hello,
        logged_in,
        app,
        _permit: permit,
    };
    stream::unfold(reader, |mut reader| async {
        let event = reader.next().await?;
        Some((Ok(event), reader))
    })
}

impl Reader {
    async fn next(&mut self) -> Option<SseEvent> {
        match self.state {
            State::Hello => {
                self.state = State::Live;
                Some(self.hello().await)
            }
            State::Live => Some(self.wait().await),
            State::Over => None,
        }
    }

    async fn hello(&mut self) -> SseEvent {
        // What is in the queue is older than the picture.
        self.events = self.app.hub.events();
        let id = self.app.hub.last_id();
        event(id, "hello", &json(&hello::now(&self.app).await))
    }

    async fn wait(&mut self) -> SseEvent {
        loop {
            let turn = tokio::select! {
                biased;
                _ = self.ending.wait_for(|ending| *ending) => Turn::Ending,
                changed = self.sessions.changed() => match changed {
                    Ok(()) => Turn::Look,
                    Err(_) => Turn::Ending,
                },
                _ = self.look.tick() => Turn::Beat,
                received = self.events.recv() => match received {
                    Ok(event) => Turn::Event(event),
                    Err(RecvError::Lagged(_)) => Turn::Behind,
                    Err(RecvError::Closed) => Turn::Ending,
                },
            };
            match turn {
                Turn::Event(Event { id, name, data }) => return event(id, name, &data),
                Turn::Behind => return self.hello().await,
                Turn::Ending => return self.bye(ByeReason::ShuttingDown),
                Turn::Look => {
                    if self.remaining_s().await.is_none() {
                        return self.bye(ByeReason::SessionEnded);
                    }
                }
                Turn::Beat => {
                    return match self.remaining_s().await {
                        Some(seconds) => self.beat(seconds),
                        None => self.bye(ByeReason::SessionEnded),
                    };
                }
            }
        }
    }

    /// Seconds until the session ends unused; nothing where it has ended or lost the right to this.
    async fn remaining_s(&self) -> Option<u64> {
        let token = self.logged_in.token.clone();
        let session = self
            .app
            .with_store(move |store: &Store| store.session_peek(clock::now(), &token))
            .await;
        match session {
            Ok(Some(session)) if session.user.role >= model::Role::ReadOnly => {
                Some(remaining_s(&session))
            }
            Ok(_) => None,
            // The store is busy: the next look tells.
            Err(_) => Some(0),
        }
    }

    fn beat(&self, session_remaining_s: u64) -> SseEvent {
        let beat = Heartbeat {
            time: clock::rfc3339(clock::now()),
            session_remaining_s,
        };
        event(self.app.hub.last_id(), "heartbeat", &json(&beat))
    }

    fn bye(&mut self, reason: ByeReason) -> SseEvent {
        self.state = State::Over;
        event(self.app.hub.last_id(), "bye", &json(&Bye { reason }))
    }
}

fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

fn event(id: u64, name: &str, data: &str) -> SseEvent {
    SseEvent::default()
        .id(id.to_string())
        .event(name)
        .data(data)
}
