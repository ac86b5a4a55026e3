//! One reader of the events: its place in the queue, and when its stream ends.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event as SseEvent;
use futures_util::{Stream, stream};
use store::Store;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::hello::Hello;
use crate::app::App;
use crate::clock;
use crate::gate::LoggedIn;
use crate::hub::Event;

/// The session is looked at so often, besides when it is known to have changed.
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
    Ending,
}

/// The events for one session, from a picture of now until it ends.
pub(super) fn stream(
    app: App,
    logged_in: LoggedIn,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<SseEvent, Infallible>> {
    let mut look = interval(LOOK);
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
        let hello = Hello::now(&self.app).await;
        event(
            id,
            "hello",
            &serde_json::to_string(&hello).unwrap_or_default(),
        )
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
                _ = self.look.tick() => Turn::Look,
                received = self.events.recv() => match received {
                    Ok(event) => Turn::Event(event),
                    Err(RecvError::Lagged(_)) => Turn::Behind,
                    Err(RecvError::Closed) => Turn::Ending,
                },
            };
            match turn {
                Turn::Event(Event { id, name, data }) => return event(id, name, &data),
                Turn::Behind => return self.hello().await,
                Turn::Ending => return self.bye("shutting_down"),
                Turn::Look if self.session_goes_on().await => {}
                Turn::Look => return self.bye("session_ended"),
            }
        }
    }

    async fn session_goes_on(&self) -> bool {
        let token = self.logged_in.token.clone();
        let session = self
            .app
            .with_store(move |store: &Store| store.session_peek(clock::now(), &token))
            .await;
        match session {
            Ok(Some(session)) => session.user.role >= model::Role::ReadOnly,
            Ok(None) => false,
            // The store is busy: the next look tells.
            Err(_) => true,
        }
    }

    fn bye(&mut self, reason: &str) -> SseEvent {
        self.state = State::Over;
        event(
            self.app.hub.last_id(),
            "bye",
            &format!("{{\"reason\":\"{reason}\"}}"),
        )
    }
}

fn event(id: u64, name: &str, data: &str) -> SseEvent {
    SseEvent::default()
        .id(id.to_string())
        .event(name)
        .data(data)
}
