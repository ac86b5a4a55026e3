//! Live events: what `pbxd` and the handlers report, numbered, in one queue that every stream reads
//! at its own pace. Who falls behind is given a fresh picture instead of what it missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::ConfigVersion;
use model::control::Notice;
use serde::Serialize;
use store::{LogKind, LogQuery, Store};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, watch};

use crate::control::Control;
use crate::words;

/// Events kept for a slow reader.
const EVENTS: usize = 256;
/// Rows of the Security log that are told one by one; more come with the next look at the log.
const ROWS: u32 = 50;

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Grows with each event of this process.
    pub id: u64,
    /// What kind.
    pub name: &'static str,
    /// JSON.
    pub data: Arc<str>,
}

/// Where events come together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    events: broadcast::Sender<Event>,
    next: AtomicU64,
    sessions: watch::Sender<u64>,
    security: Notify,
}

#[derive(Serialize)]
struct ConfigChanged<'a> {
    version: u64,
    by: Option<&'a str>,
}

#[derive(Serialize)]
struct Reachable {
    reachable: bool,
}

#[derive(Serialize)]
struct InForce {
    version: u64,
}

#[derive(Serialize)]
struct CallEnded {
    call: u64,
}

#[derive(Serialize)]
struct RegistrationsChanged {
    extension: u32,
    registrations: Vec<words::Registration>,
}

impl Hub {
    /// Starts the tasks that turn notices and log rows into events.
    #[must_use]
    pub fn start(store: Store, control: &Control) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        let (sessions, _) = watch::channel(0);
        let hub = Self(Arc::new(Inner {
            events,
            next: AtomicU64::new(1),
            sessions,
            security: Notify::new(),
        }));
        tokio::spawn(hub.clone().follow_exchange(control.clone()));
        tokio::spawn(hub.clone().follow_security(store));
        hub
    }

    /// The events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Moves whenever a session may have ended.
    #[must_use]
    pub fn sessions(&self) -> watch::Receiver<u64> {
        self.0.sessions.subscribe()
    }

    /// The number of the newest event.
    #[must_use]
    pub fn last_id(&self) -> u64 {
        self.0.next.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Somebody changed the configuration.
    pub fn config_changed(&self, version: ConfigVersion, by: Option<&str>) {
        let version = version.raw();
        self.send("config_changed", &ConfigChanged { version, by });
    }

    /// A session may have ended: streams look after theirs.
    pub fn sessions_changed(&self) {
        self.0.sessions.send_modify(|count| *count += 1);
    }

    /// The Security log has a new row.
    pub fn security_changed(&self) {
        self.0.security.notify_one();
    }

    fn send(&self, name: &'static str, data: &impl Serialize) {
        let Ok(data) = serde_json::to_string(data) else {
            return;
        };
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        let data = data.into();
        let _ = self.0.events.send(Event { id, name, data });
    }

    async fn follow_exchange(self, control: Control) {
        let mut notices = control.notices();
        let mut reachable = control.reachable();
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(notice) => self.tell(notice),
                    // What was missed is in the picture that a reader of events asks for.
                    Err(RecvError::Lagged(_)) => self.exchange(*reachable.borrow()),
                    Err(RecvError::Closed) => return,
                },
                changed = reachable.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let reachable = *reachable.borrow_and_update();
                    self.exchange(reachable);
                }
            }
        }
    }

    fn exchange(&self, reachable: bool) {
        self.send("exchange", &Reachable { reachable });
    }

    fn tell(&self, notice: Notice) {
        match notice {
            Notice::Call { call } => self.send("call", &words::Call::from(call)),
            Notice::CallEnded { call } => self.send("call_ended", &CallEnded { call: call.raw() }),
            Notice::Registrations {
                extension,
                registrations,
            } => self.send(
                "registrations",
                &RegistrationsChanged {
                    extension: extension.raw(),
                    registrations: registrations.into_iter().map(Into::into).collect(),
                },
            ),
            Notice::Security => self.security_changed(),
            Notice::Config { version } => {
                // Somebody else than this process may have changed it.
                self.sessions_changed();
                self.send(
                    "config_in_force",
                    &InForce {
                        version: version.raw(),
                    },
                );
            }
        }
    }

    async fn follow_security(self, store: Store) {
        let newest = rows(&store, None, 1).await;
        let mut last = newest.first().map_or(0, |row| row.id);
        loop {
            self.0.security.notified().await;
            let rows = rows(&store, Some(last), ROWS).await;
            for row in rows.into_iter().rev() {
                last = row.id;
                self.send("security", &words::LogRow::from(row));
            }
        }
    }
}

async fn rows(store: &Store, after: Option<i64>, limit: u32) -> Vec<store::LogRow> {
    let store = store.clone();
    let query = LogQuery {
        after,
        limit,
        ..LogQuery::default()
    };
    let rows =
        tokio::task::spawn_blocking(move || store.log_query(LogKind::Security, &query)).await;
    match rows {
        Ok(Ok(rows)) => rows,
        Ok(Err(error)) => {
            tracing::error!(%error, "The Security log can't be read.");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}
