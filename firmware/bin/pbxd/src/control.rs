//! The control socket: other processes of the box ask, the signalling loop answers.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use model::control::{Ask, MAX_LINE, Message, Notice, Reply, Request};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::spawn_local;
use tracing::{debug, warn};

use crate::listing::Written;

/// Requests that wait for the signalling loop.
const QUEUE: usize = 64;

/// Notices a watcher may be behind before it is cut off; it comes back and asks for everything.
const NOTICES: usize = 4096;

/// A request and where its answer goes.
pub struct Question {
    /// What is asked.
    pub request: Request,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Answer>,
}

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// Still to be written.
    Reply(Reply),
    /// Written meanwhile.
    List(Written),
}

/// The listening end.
pub struct Control {
    questions: mpsc::Receiver<Question>,
    notices: broadcast::Sender<Arc<str>>,
}

impl Control {
    /// Listens at `path`, for this user and group only.
    pub fn listen(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("can't make {}", folder.display()))?;
        }
        // A socket left by a process that was killed; a live one would still answer on its own.
        if path.exists() {
            std::fs::remove_file(path).with_context(|| format!("{}", path.display()))?;
        }
        let listener = UnixListener::bind(path)
            .with_context(|| format!("can't listen on {}", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
            .with_context(|| format!("{}", path.display()))?;
        let (asker, questions) = mpsc::channel(QUEUE);
        let (notices, _) = broadcast::channel(NOTICES);
        spawn_local(accept(listener, asker, notices.clone()));
        Ok(Self { questions, notices })
    }

    /// Waits for the next question.
    pub async fn next(&mut self) -> Question {
        match self.questions.recv().await {
            Some(question) => question,
            None => std::future::pending().await,
        }
    }

    /// The next question, where one is there already.
    pub fn try_next(&mut self) -> Option<Question> {
        self.questions.try_recv().ok()
    }

    /// True where someone watches.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.notices.receiver_count() > 0
    }

    /// Tells those who watch.
    pub fn notify(&self, notice: Notice) {
        if !self.is_watched() {
            return;
        }
        match serde_json::to_string(&Message::Notice { notice }) {
            // Where the last watcher has just gone nobody is told.
            Ok(line) => drop(self.notices.send(line.into())),
            Err(error) => warn!(%error, "a notice could not be written"),
        }
    }
}

async fn accept(
    listener: UnixListener,
    asker: mpsc::Sender<Question>,
    notices: broadcast::Sender<Arc<str>>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (asker, notices) = (asker.clone(), notices.clone());
                spawn_local(async move {
                    if let Err(error) = converse(stream, asker, notices).await {
                        debug!(%error, "control connection ended");
                    }
                });
            }
            Err(error) => {
                warn!(%error, "a control connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(
    stream: UnixStream,
    asker: mpsc::Sender<Question>,
    notices: broadcast::Sender<Arc<str>>,
) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    let mut watching: Option<broadcast::Receiver<Arc<str>>> = None;
    loop {
        tokio::select! {
            more = read_line(&mut reader, &mut line) => {
                if !more? {
                    return Ok(());
                }
                let ask: Ask = serde_json::from_slice(&line).context("not a request")?;
                line.clear();
                if ask.request == Request::Watch && watching.is_none() {
                    watching = Some(notices.subscribe());
                }
                match ask_loop(&asker, ask.request).await {
                    Answer::Reply(reply) => {
                        let message = Message::Reply { id: ask.id, reply };
                        let mut text = serde_json::to_string(&message)?;
                        text.push('\n');
                        writer.write_all(text.as_bytes()).await?;
                    }
                    Answer::List(list) => {
                        for part in list.parts(ask.id)? {
                            writer.write_all(&part).await?;
                        }
                    }
                }
            }
            notice = next_notice(&mut watching) => {
                let notice = notice.context("the watcher is too slow")?;
                writer.write_all(notice.as_bytes()).await?;
                writer.write_all(b"\n").await?;
            }
        }
    }
}

async fn ask_loop(asker: &mpsc::Sender<Question>, request: Request) -> Answer {
    let (answer, wait) = oneshot::channel();
    let stopping = || {
        Answer::Reply(Reply::Failed {
            text: "the exchange is stopping".into(),
        })
    };
    if asker.send(Question { request, answer }).await.is_err() {
        return stopping();
    }
    wait.await.unwrap_or_else(|_| stopping())
}

async fn next_notice(
    watching: &mut Option<broadcast::Receiver<Arc<str>>>,
) -> Result<Arc<str>, broadcast::error::RecvError> {
    match watching {
        Some(notices) => notices.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads up to a line feed; what was read stays in `line` where the future is dropped. False at the end.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> Result<bool> {
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok(false);
        }
        let (taken, done) = match available.iter().position(|&octet| octet == b'\n') {
            Some(at) => (at + 1, true),
            None => (available.len(), false),
        };
        anyhow::ensure!(line.len() + taken <= MAX_LINE, "the line is too long");
        line.extend_from_slice(available.get(..taken).unwrap_or_default());
        reader.consume(taken);
        if done {
            return Ok(true);
        }
    }
}
