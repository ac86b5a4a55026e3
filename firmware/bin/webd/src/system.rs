//! The way to what needs root: a connection to the `system` child of the supervisor for each question.
//!
//! A developer's machine has no such child: there everything is told [`Silent::Missing`].

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::system::{Ask, MAX_LINE, Reply, Request};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// An answer takes no longer: the boot partition may have to be written for it. What takes longer
/// (an upgrade) is begun within it, and asked about.
const ANSWER: Duration = Duration::from_secs(15);
/// Questions at once: the other side has room for 32, and the menus ask too.
const AT_ONCE: usize = 8;

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Silent {
    /// Nobody listens.
    #[error("no system socket")]
    Missing,
    /// Too many ask at once.
    #[error("too many questions at once")]
    Busy,
    /// It took too long.
    #[error("no answer in time")]
    Late,
    /// The connection failed, or what came is no answer.
    #[error("{0}")]
    Failed(io::Error),
}

impl Silent {
    /// The question was not even heard; otherwise nobody knows what came of it.
    #[must_use]
    pub const fn unheard(&self) -> bool {
        matches!(self, Self::Missing | Self::Busy)
    }
}

/// The way to the `system` child. Cheap to clone.
#[derive(Clone, Debug)]
pub struct System {
    path: PathBuf,
    room: Arc<Semaphore>,
}

impl System {
    /// By the socket at `path`, which need not be there yet.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Asks and waits for the answer; `by` names who asks, for the log.
    ///
    /// # Errors
    /// [`Silent`].
    pub async fn ask(&self, by: String, request: Request) -> Result<Reply, Silent> {
        let _permit = self.room.try_acquire().map_err(|_| Silent::Busy)?;
        timeout(ANSWER, self.converse(&Ask { by, request }))
            .await
            .unwrap_or(Err(Silent::Late))
    }

    async fn converse(&self, ask: &Ask) -> Result<Reply, Silent> {
        let stream = UnixStream::connect(&self.path).await;
        let mut stream = stream.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Silent::Missing,
            _ => Silent::Failed(error),
        })?;
        let mut line = serde_json::to_vec(ask).map_err(|error| Silent::Failed(error.into()))?;
        line.push(b'\n');
        stream.write_all(&line).await.map_err(Silent::Failed)?;
        let mut answer = Vec::new();
        let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        BufReader::new(&mut stream)
            .take(most)
            .read_until(b'\n', &mut answer)
            .await
            .map_err(Silent::Failed)?;
        serde_json::from_slice(&answer).map_err(|error| Silent::Failed(error.into()))
    }
}
