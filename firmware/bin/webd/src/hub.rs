//! Live events: what `pbxd` and the handlers report, numbered, in one queue that every stream reads
//! at its own pace. Who falls behind is given a fresh picture instead of what it missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use std::time::Duration;

use model::ConfigVersion;
use model::control::Notice;
use serde::Serialize;
use store::{LogKind, LogQuery, LogRow, Store, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast, watch};

use crate::control::Control;
use crate::event::{
    CallEnded, ConfigChanged, ConfigInForce, ExchangeReachable, InterfaceChanged, Logged,
    RegistrationsChanged,
};
use crate::words::Call;

/// Events kept for a slow reader.
const EVENTS: usize = 256;
/// Rows of a log that are told at a time; who wants older ones reads the log.
const ROWS: u32 = 50;
/// The logs are looked at no oftener, so that a flood of failed logins is not one of events too.
const LOOK: Duration = Duration::from_millis(200);
/// The logs there are.
pub const LOGS: [LogKind; 4] = [
    LogKind::Config,
    LogKind::Security,
    LogKind::Warning,
    LogKind::Error,
];

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
    logged: Notify,
    rows: broadcast::Sender<(LogKind, LogRow)>,
}

impl Hub {
    /// Starts the tasks that turn notices and log rows into events.
    ///
    /// # Errors
    /// Where the logs can't be read.
    pub fn start(store: Store, control: &Control) -> Result<Self, StoreError> {
        // What is there already is no news; what comes from here on is.
        let mut newest = [0; LOGS.len()];
        for (last, kind) in newest.iter_mut().zip(LOGS) {
            let row = rows(&store, kind, None, 1)?;
            *last = row.first().map_or(0, |row| row.id);
        }
        let (events, _) = broadcast::channel(EVENTS);
        let (sessions, _) = watch::channel(0);
        let hub = Self(Arc::new(Inner {
            events,
            next: AtomicU64::new(1),
            sessions,
            logged: Notify::new(),
            rows: broadcast::channel(EVENTS).0,
        }));
        tokio::spawn(hub.clone().follow_exchange(control.clone()));
        tokio::spawn(hub.clone().follow_logs(store, newest));
        Ok(hub)
    }

    /// The events from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// The rows of all logs from now on.
    #[must_use]
    pub fn rows(&self) -> broadcast::Receiver<(LogKind, LogRow)> {
        self.0.rows.subscribe()
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
        let by = by.map(str::to_owned);
        self.send("config_changed", &ConfigChanged { version, by });
    }

    /// A session may have ended: streams look after theirs.
    pub fn sessions_changed(&self) {
        self.0.sessions.send_modify(|count| *count += 1);
    }

    /// A log has a new row, which can be read.
    pub fn logged(&self) {
        self.0.logged.notify_one();
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
        self.send("exchange", &ExchangeReachable { reachable });
    }

    fn tell(&self, notice: Notice) {
        match notice {
            Notice::Call { call } => self.send("call", &Call::from(call)),
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
            Notice::Interface { interface } => self.send(
                "interface",
                &InterfaceChanged {
                    interface: interface.interface.raw(),
                },
            ),
            Notice::Security => self.logged(),
            Notice::Config { version } => {
                // Somebody else than this process may have changed it.
                self.sessions_changed();
                self.send(
                    "config_in_force",
                    &ConfigInForce {
                        version: version.raw(),
                    },
                );
            }
        }
    }

    async fn follow_logs(self, store: Store, mut newest: [i64; LOGS.len()]) {
        loop {
            self.0.logged.notified().await;
            for (last, kind) in newest.iter_mut().zip(LOGS) {
                let (store, after) = (store.clone(), Some(*last));
                let read = move || rows(&store, kind, after, ROWS);
                let rows = match tokio::task::spawn_blocking(read).await {
                    Ok(Ok(rows)) => rows,
                    Ok(Err(error)) => {
                        tracing::error!(%error, ?kind, "A log can't be read.");
                        continue;
                    }
                    Err(_) => continue,
                };
                for row in rows.into_iter().rev() {
                    *last = row.id;
                    let _ = self.0.rows.send((kind, row.clone()));
                    let (log, row) = (kind.into(), row.into());
                    self.send("log", &Logged { log, row });
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn rows(
    store: &Store,
    kind: LogKind,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<LogRow>, StoreError> {
    let query = LogQuery {
        after,
        limit,
        ..LogQuery::default()
    };
    store.log_query(kind, &query)
}
