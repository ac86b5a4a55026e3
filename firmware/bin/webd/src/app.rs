//! What every handler works with: the store, the line to `pbxd`, the counters of logins, the events.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::control::{Reply, Request};
use model::{ConfigVersion, WallTime};
use store::{
    Author, ChangeError, Changed, Expected, LogKind, LogQuery, Operation, Store, StoreError,
};
use tokio::sync::{Semaphore, watch};

use crate::clock;
use crate::control::Control;
use crate::gate::Hosts;
use crate::hub::Hub;
use crate::keeping::Keeping;
use crate::listener::Limited;
use crate::password::Hasher;
use crate::problem::{Code, Problem};
use crate::revision::{IfMatch, etag};
use crate::system::System;
use crate::throttle::Throttle;

/// A session nobody uses ends after so long.
pub const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// A session ends after so long in any case.
pub const SESSION_ABSOLUTE: Duration = Duration::from_secs(12 * 60 * 60);
/// Event streams open at once; each costs a connection and a queue.
pub const MAX_STREAMS: usize = 64;
/// Exports running at once; each holds a thread.
pub const MAX_EXPORTS: usize = 4;

/// What every handler works with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App(Arc<Inner>);

/// The parts of [`App`].
#[derive(Debug)]
pub struct Inner {
    /// The only SQL.
    pub store: Store,
    /// The line to `pbxd`.
    pub control: Control,
    /// The way to what needs root.
    pub system: System,
    /// Live events.
    pub hub: Hub,
    /// Passwords of people.
    pub hasher: Hasher,
    /// Names this box answers to.
    pub hosts: Hosts,
    /// The data directory.
    pub data: PathBuf,
    /// When this process started.
    pub started: WallTime,
    /// True once the process is to end.
    pub ending: watch::Receiver<bool>,
    /// Held while settings without a revision are compared and changed.
    pub settings: Arc<tokio::sync::Mutex<()>>,
    /// Event streams that may still be opened.
    pub streams: Arc<Semaphore>,
    /// Exports that may still be started.
    pub exports: Arc<Semaphore>,
    /// The connections that there are.
    pub connections: Limited,
    /// Update files that may still be received: one at a time.
    pub uploads: Semaphore,
    /// How long the logs are kept, and where they go besides.
    pub keeping: Keeping,
    throttle: Mutex<Throttle>,
    first_visit_over: AtomicBool,
}

/// What the parts are made of.
#[derive(Debug)]
pub struct Parts {
    /// The opened store.
    pub store: Store,
    /// The line to `pbxd`.
    pub control: Control,
    /// The way to what needs root.
    pub system: System,
    /// Names this box answers to.
    pub hosts: Hosts,
    /// The data directory.
    pub data: PathBuf,
    /// Whether the first password can be set where there is none.
    pub first_visit: bool,
    /// True once the process is to end.
    pub ending: watch::Receiver<bool>,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts the parts together and starts what feeds the events.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn start(parts: Parts) -> anyhow::Result<Self> {
        let hub = Hub::start(parts.store.clone(), &parts.control)?;
        let keeping = Keeping::start(&parts.data, parts.store.clone(), &hub);
        Ok(Self(Arc::new(Inner {
            hasher: Hasher::new()?,
            hub,
            store: parts.store,
            control: parts.control,
            system: parts.system,
            hosts: parts.hosts,
            data: parts.data,
            started: clock::now(),
            ending: parts.ending,
            settings: Arc::default(),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            connections: Limited::default(),
            uploads: Semaphore::new(1),
            keeping,
            throttle: Mutex::default(),
            first_visit_over: AtomicBool::new(!parts.first_visit),
        })))
    }

    /// Works with the store on a thread for blocking work.
    ///
    /// # Errors
    /// What the work says.
    pub async fn with_store<T, E>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Into<Problem> + Send + 'static,
    {
        let store = self.store.clone();
        let work = move || {
            work(&store).map_err(|error| {
                let problem: Problem = error.into();
                // The next try has the room.
                let _ = problem.code() == Code::DiskFull && store.release_reserve();
                problem
            })
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, "Work with the store ended in a panic.");
                Err(Problem::internal())
            }
        }
    }

    /// Changes the configuration, and tells the exchange and whoever listens. It is told even where
    /// the one who asked has gone meanwhile.
    ///
    /// # Errors
    /// [`ChangeError`] as a problem.
    pub async fn change(
        &self,
        author: Author,
        expected: Expected,
        operations: Vec<Operation>,
    ) -> Result<Changed, Problem> {
        self.change_raw(author, expected, operations)
            .await?
            .map_err(Into::into)
    }

    /// As [`App::change`], for who decides on the store's own refusal.
    ///
    /// # Errors
    /// A problem where the store couldn't be asked at all; inside, its refusal.
    pub async fn change_raw(
        &self,
        author: Author,
        expected: Expected,
        operations: Vec<Operation>,
    ) -> Result<Result<Changed, ChangeError>, Problem> {
        let app = self.clone();
        self.with_store(move |store| {
            let name = author.name.clone();
            let result = store.change_all(clock::now(), &author, expected, operations);
            if let Ok(changed) = &result
                && changed.different
            {
                app.announce(changed.version, Some(&name));
            }
            Ok::<_, Problem>(result)
        })
        .await
    }

    /// What to tell the store about a change of an object that is at `current` now.
    ///
    /// # Errors
    /// [`Code::Changed`] with the revision there is and who made it, [`Code::Internal`].
    pub async fn expect(
        &self,
        if_match: &IfMatch,
        current: ConfigVersion,
    ) -> Result<Expected, Problem> {
        match if_match.expect(current) {
            Ok(expected) => Ok(expected),
            Err(problem) => {
                let by = self.changed_by(current).await;
                Err(problem.with_current(etag(current), by))
            }
        }
    }

    /// As [`App::expect`], of settings that have no revision: changes of them begin with `said` in the Config log.
    ///
    /// # Errors
    /// [`Code::Changed`] with the tag there is and who made the change, [`Code::Internal`].
    pub async fn expect_settings(
        &self,
        if_match: &IfMatch,
        current: String,
        said: &'static str,
    ) -> Result<(), Problem> {
        if if_match.holds(&current) {
            return Ok(());
        }
        let query = LogQuery {
            contains: Some(said.to_owned()),
            limit: 50,
            ..LogQuery::default()
        };
        let rows = self
            .with_store(move |store: &Store| store.log_query(LogKind::Config, &query))
            .await?;
        let last = rows.into_iter().find(|row| row.text.starts_with(said));
        let by = last.and_then(|row| row.author).map(|author| author.name);
        Err(Problem::changed().with_current(current, by))
    }

    /// Who made the change that gave this version, as far as the Config log goes back.
    async fn changed_by(&self, version: ConfigVersion) -> Option<String> {
        let by = self.with_store(move |store: &Store| store.changed_by(version));
        Some(by.await.ok()??.0.name)
    }

    /// Tells the exchange and whoever listens that the configuration is another one.
    pub fn announce(&self, version: ConfigVersion, by: Option<&str>) {
        self.control.reload();
        self.hub.config_changed(version, by);
        self.hub.logged();
        self.hub.sessions_changed();
    }

    /// Asks the exchange.
    ///
    /// # Errors
    /// [`Code::ExchangeUnreachable`].
    pub async fn ask(&self, request: Request) -> Result<Reply, Problem> {
        self.control
            .ask(request)
            .await
            .map_err(|_| exchange_unreachable())
    }

    /// True until the password of the first account is set, where it can be set at all.
    ///
    /// # Errors
    /// Where the store can't be read.
    pub async fn is_first_visit(&self) -> Result<bool, Problem> {
        if self.first_visit_over.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let first = self
            .with_store(|store: &Store| store.needs_first_password())
            .await?;
        if !first {
            self.first_visit_over.store(true, Ordering::Relaxed);
        }
        Ok(first)
    }

    /// Works with the counters of logins.
    pub fn throttle<T>(&self, work: impl FnOnce(&mut Throttle) -> T) -> T {
        work(&mut self.throttle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says in the Config log what somebody did that is no change of the configuration. It was done:
    /// a log that can't be written doesn't undo it.
    pub async fn config_note(&self, author: Author, text: String) {
        let hub = self.hub.clone();
        let written = self
            .with_store(move |store| {
                store.config_note(clock::now(), &author, &text)?;
                hub.logged();
                Ok::<_, StoreError>(())
            })
            .await;
        if let Err(problem) = written {
            tracing::error!(%problem, "A row of the Config log was lost.");
        }
    }

    /// Writes a row of the Security log. A log that can't be written doesn't stop what is logged.
    pub async fn security(&self, text: String) {
        let hub = self.hub.clone();
        let written = self
            .with_store(move |store| {
                store.log_append_series(clock::now(), &text, 1)?;
                hub.logged();
                Ok::<_, StoreError>(())
            })
            .await;
        if let Err(problem) = written {
            tracing::error!(%problem, "A row of the Security log was lost.");
        }
    }
}

/// The exchange isn't there.
#[must_use]
pub fn exchange_unreachable() -> Problem {
    Problem::new(
        Code::ExchangeUnreachable,
        "The exchange is starting or has stopped: try again in a few seconds. Settings can be \
         changed meanwhile and take effect when it is back.",
    )
    .retry_after(5)
}

/// The exchange answered what it wasn't asked, or that it failed.
#[must_use]
pub fn exchange_failed(reply: &Reply) -> Problem {
    tracing::error!(?reply, "The exchange failed to answer.");
    Problem::internal()
}

/// Says in the Config log what is removed, and removes it. Said first: nobody removes anything in silence
/// by a lucky failure; but on a full disk it makes the room that the row needs.
///
/// # Errors
/// Where the row or the removal failed.
pub fn say_and_clear(
    store: &Store,
    author: &Author,
    text: &str,
    clear: impl FnOnce() -> Result<u64, StoreError>,
) -> Result<u64, StoreError> {
    let say = || store.config_note(clock::now(), author, text);
    match say() {
        Err(StoreError::DiskFull) => {
            let _ = store.release_reserve();
            tracing::warn!("{} - {text}", author.name);
            let removed = clear()?;
            say()?;
            Ok(removed)
        }
        said => {
            said?;
            clear()
        }
    }
}
