//! The line to `pbxd`: one connection to its control socket, kept up, with answers matched to questions
//! and notices handed on.
//!
//! `webd` works without `pbxd`: what needs it is told [`Unreachable`], and a reload that could not
//! be delivered is delivered when the connection is back.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::control::{Ask, MAX_LINE, Message, Notice, Reply, Request};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};
use tokio::time::timeout;

/// An answer takes no longer, or `pbxd` hangs.
const ANSWER: Duration = Duration::from_secs(5);
/// Questions that may wait for the connection.
const QUESTIONS: usize = 64;
/// Questions under way at once.
const PENDING: usize = 256;
/// Notices kept for who is slow.
const NOTICES: usize = 1024;
/// First wait before connecting again; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Longest wait before connecting again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// From this wait on it is told that `pbxd` is missing: both start at once, and either may be the first
/// to be ready.
const TOLD_FROM: Duration = Duration::from_secs(3);

/// `pbxd` isn't there or doesn't answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the exchange does not answer")]
pub struct Unreachable;

/// The line to `pbxd`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Control {
    questions: mpsc::Sender<Question>,
    notices: broadcast::Sender<Notice>,
    reachable: watch::Receiver<bool>,
    reload: Arc<Notify>,
}

#[derive(Debug)]
struct Question {
    request: Request,
    answer: oneshot::Sender<Reply>,
}

impl Control {
    /// Starts the tasks that keep the line to the socket at `path`.
    #[must_use]
    pub fn start(path: PathBuf) -> Self {
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let (notices, _) = broadcast::channel(NOTICES);
        let (reachable_is, reachable) = watch::channel(false);
        let control = Self {
            questions,
            notices: notices.clone(),
            reachable,
            reload: Arc::default(),
        };
        tokio::spawn(keep(path, asked, notices, reachable_is));
        tokio::spawn(deliver_reloads(control.clone()));
        control
    }

    /// Asks `pbxd` and waits for its answer.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn ask(&self, request: Request) -> Result<Reply, Unreachable> {
        if !*self.reachable.borrow() {
            return Err(Unreachable);
        }
        let (answer, answered) = oneshot::channel();
        let question = Question { request, answer };
        self.questions.try_send(question).map_err(|_| Unreachable)?;
        match timeout(ANSWER, answered).await {
            Ok(Ok(reply)) => Ok(reply),
            _ => Err(Unreachable),
        }
    }

    /// Waits for `pbxd`, however long it takes, and asks it.
    ///
    /// # Errors
    /// [`Unreachable`] where it is lost meanwhile.
    pub async fn ask_when_reachable(&self, request: Request) -> Result<Reply, Unreachable> {
        let mut reachable = self.reachable();
        if reachable.wait_for(|reachable| *reachable).await.is_err() {
            return Err(Unreachable);
        }
        self.ask(request).await
    }

    /// Has `pbxd` load the configuration, now or when it is reachable again. Doesn't wait.
    pub fn reload(&self) {
        self.reload.notify_one();
    }

    /// What changes in `pbxd` from now on.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Whether `pbxd` is connected, and when that changes.
    #[must_use]
    pub fn reachable(&self) -> watch::Receiver<bool> {
        self.reachable.clone()
    }
}

async fn deliver_reloads(control: Control) {
    loop {
        control.reload.notified().await;
        let mut wait = FIRST_WAIT;
        loop {
            let mut reachable = control.reachable();
            if reachable.wait_for(|reachable| *reachable).await.is_err() {
                return;
            }
            match control.ask(Request::Reload).await {
                Ok(Reply::Reloaded { version }) => {
                    tracing::debug!(%version, "The exchange loaded the configuration.");
                    break;
                }
                Ok(Reply::Faulty { faults }) => {
                    tracing::error!(?faults, "The exchange refused the configuration.");
                    break;
                }
                Ok(reply) => {
                    tracing::error!(?reply, "The exchange did not load the configuration.");
                }
                Err(Unreachable) => {}
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

async fn keep(
    path: PathBuf,
    mut asked: mpsc::Receiver<Question>,
    notices: broadcast::Sender<Notice>,
    reachable: watch::Sender<bool>,
) {
    let mut wait = FIRST_WAIT;
    let mut said = false;
    loop {
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                tracing::info!(path = %path.display(), "Connected to the exchange.");
                (wait, said) = (FIRST_WAIT, false);
                while asked.try_recv().is_ok() {}
                let end = converse(stream, &mut asked, &notices, &reachable).await;
                reachable.send_replace(false);
                match end {
                    End::Closed => return,
                    End::Lost(why) => tracing::warn!(
                        why,
                        "The connection to the exchange is lost; it comes back by itself."
                    ),
                }
            }
            Err(error) if !said && wait >= TOLD_FROM => {
                let path = path.display();
                tracing::warn!(%path, %error, "The exchange does not answer; trying on.");
                said = true;
            }
            Err(_) => {}
        }
        if asked.is_closed() {
            return;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

enum End {
    /// Nobody asks any more.
    Closed,
    /// The connection ended.
    Lost(String),
}

async fn converse(
    stream: UnixStream,
    asked: &mut mpsc::Receiver<Question>,
    notices: &broadcast::Sender<Notice>,
    reachable: &watch::Sender<bool>,
) -> End {
    let (read, mut write) = stream.into_split();
    let (lines, mut received) = mpsc::channel(64);
    let reader = tokio::spawn(read_lines(BufReader::new(read), lines));
    let mut pending: HashMap<u64, oneshot::Sender<Reply>> = HashMap::new();
    let mut next = 1;
    let watch = Ask {
        id: 0,
        request: Request::Watch,
    };
    let end = match send(&mut write, &watch).await {
        Err(why) => End::Lost(why),
        Ok(()) => {
            reachable.send_replace(true);
            loop {
                tokio::select! {
                    line = received.recv() => match line {
                        Some(Ok(Message::Reply { id, reply })) => {
                            if let Some(answer) = pending.remove(&id) {
                                let _ = answer.send(reply);
                            }
                        }
                        Some(Ok(Message::Notice { notice })) => {
                            let _ = notices.send(notice);
                        }
                        Some(Err(why)) => break End::Lost(why),
                        None => break End::Lost("it closed the connection".to_owned()),
                    },
                    question = asked.recv() => {
                        let Some(Question { request, answer }) = question else {
                            break End::Closed;
                        };
                        pending.retain(|_, answer| !answer.is_closed());
                        if pending.len() >= PENDING {
                            continue;
                        }
                        let ask = Ask { id: next, request };
                        pending.insert(next, answer);
                        next += 1;
                        if let Err(why) = send(&mut write, &ask).await {
                            break End::Lost(why);
                        }
                    }
                }
            }
        }
    };
    reader.abort();
    end
}

async fn send(write: &mut OwnedWriteHalf, ask: &Ask) -> Result<(), String> {
    let mut line = serde_json::to_vec(ask).map_err(|error| error.to_string())?;
    line.push(b'\n');
    match timeout(ANSWER, write.write_all(&line)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it does not read".to_owned()),
    }
}

async fn read_lines(
    mut read: BufReader<OwnedReadHalf>,
    lines: mpsc::Sender<Result<Message, String>>,
) {
    loop {
        let line = match read_line(&mut read).await {
            Ok(Some(line)) => line,
            Ok(None) => return,
            Err(error) => {
                let _ = lines.send(Err(error.to_string())).await;
                return;
            }
        };
        match serde_json::from_slice(&line) {
            Ok(message) => {
                if lines.send(Ok(message)).await.is_err() {
                    return;
                }
            }
            // A newer pbxd may say what this webd doesn't know.
            Err(error) => {
                tracing::warn!(%error, "The administration does not understand the exchange: restart both.");
            }
        }
    }
}

async fn read_line(read: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    loop {
        let chunk = read.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(None);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |end| end + 1);
        line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        read.consume(taken);
        if end.is_some() {
            return Ok(Some(line));
        }
        if line.len() > MAX_LINE {
            return Err(std::io::Error::other("a line is too long"));
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_exchange_that_starts_a_little_later_is_nothing_to_warn_of() {
        let (layer, rows) = platform::log::rows();
        let subscriber = tracing_subscriber::registry().with(layer);
        let _guard = tracing::subscriber::set_default(subscriber);
        let dir = tempfile::tempdir().expect("a folder");
        let _control = Control::start(dir.path().join("pbxd.sock"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(rows.try_iter().count(), 0);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let told: Vec<String> = rows.try_iter().map(|row| row.text).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with("The exchange does not answer"),
            "{told:?}"
        );
    }
}
