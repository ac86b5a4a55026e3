//! One reader of the events: its place in the queue, and when its stream ends.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::Event as SseEvent;
use futures_util::{Stream, stream};
use model::WallTime;
use store::{Session, Store};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::sleep;

use super::hello::Hello;
use crate::app::{App, SESSION_IDLE};
use crate::clock;
use crate::gate::LoggedIn;
use crate::hub::Event;

struct Reader {
    app: App,
    logged_in: LoggedIn,
    events: broadcast::Receiver<Event>,
    sessions: watch::Receiver<u64>,
    ending: watch::Receiver<bool>,
    /// When the session ends unless it is used, as far as is known.
    deadline: WallTime,
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
    let reader = Reader {
        events: app.hub.events(),
        sessions: app.hub.sessions(),
        ending: app.ending.clone(),
        deadline: deadline(logged_in.session.last_seen, &logged_in.session),
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
            let left = self.deadline.since(clock::now());
            let turn = tokio::select! {
                biased;
                _ = self.ending.wait_for(|ending| *ending) => Turn::Ending,
                changed = self.sessions.changed() => match changed {
                    Ok(()) => Turn::Look,
                    Err(_) => Turn::Ending,
                },
                // A moment later: the store compares to the microsecond.
                () = sleep(left + Duration::from_millis(100)) => Turn::Look,
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

    /// A look counts as a use, and a stream must not keep its session awake: so it looks when the
    /// session may have been ended, and when it would have ended without a use.
    async fn session_goes_on(&mut self) -> bool {
        let token = self.logged_in.token.clone();
        let now = clock::now();
        let session = self
            .app
            .with_store(move |store: &Store| store.session_lookup(now, &token))
            .await;
        match session {
            Ok(Some(session)) => {
                self.deadline = deadline(now, &session);
                session.user.role >= model::Role::ReadOnly
            }
            Ok(None) => false,
            Err(_) => {
                // The store is busy: the next look tells.
                self.deadline = now + Duration::from_secs(5);
                true
            }
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

fn deadline(last_use: WallTime, session: &Session) -> WallTime {
    (last_use + SESSION_IDLE).min(session.expires)
}

fn event(id: u64, name: &str, data: &str) -> SseEvent {
    SseEvent::default()
        .id(id.to_string())
        .event(name)
        .data(data)
}
