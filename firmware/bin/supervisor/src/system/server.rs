//! The socket: lines of JSON in and out, a bounded number of askers.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use std::thread;

use model::system::{Ask, MAX_LINE, Reply};
use tracing::warn;

use super::machine::Event;

/// The administration and the menus: each keeps one, or opens one for a question.
const CONNECTIONS: usize = 32;

/// A question with the way back.
#[derive(Debug)]
pub struct Question {
    /// What is asked.
    pub ask: Ask,
    /// Where the answer goes.
    pub answer: SyncSender<Reply>,
}

/// Listens from now on, for those of the socket's group.
pub fn listen(path: &Path, questions: Sender<Event>) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
    let open = Arc::new(AtomicUsize::new(0));
    thread::Builder::new()
        .name("askers".into())
        .spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { continue };
                if open.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
                    open.fetch_sub(1, Ordering::Relaxed);
                    warn!("too many ask at once");
                    continue;
                }
                let (questions, counted) = (questions.clone(), Arc::clone(&open));
                let started = thread::Builder::new().name("asker".into()).spawn(move || {
                    // Where the asker goes away nobody needs to know.
                    let _ = serve(&stream, &questions);
                    counted.fetch_sub(1, Ordering::Relaxed);
                });
                if started.is_err() {
                    open.fetch_sub(1, Ordering::Relaxed);
                }
            }
        })?;
    Ok(())
}

fn serve(stream: &UnixStream, questions: &Sender<Event>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = Vec::new();
        let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX);
        (&mut reader).take(most).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(());
        }
        let reply = match serde_json::from_slice(&line) {
            Ok(ask) => {
                let (answer, answered) = sync_channel(1);
                let question = Event::Question(Question { ask, answer });
                if questions.send(question).is_err() {
                    return Ok(());
                }
                answered.recv().map_err(io::Error::other)?
            }
            Err(error) => Reply::Failed {
                text: format!("this is no question: {error}"),
            },
        };
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        writer.write_all(&text)?;
    }
}
