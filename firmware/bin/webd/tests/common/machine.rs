//! The `system` child of the supervisor as `webd` sees it: a Unix socket that answers.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use model::system::{Ask, Reply};

/// A machine that answers as it is told to; it goes when this is dropped.
pub struct Machine {
    asked: Arc<Mutex<Vec<Ask>>>,
    path: std::path::PathBuf,
}

impl Machine {
    /// Answers each question as `answer` says; without a word it ends the connection.
    pub fn start<R: Into<Option<Reply>>>(
        dir: &Path,
        answer: impl Fn(&Ask) -> R + Send + 'static,
    ) -> Self {
        let path = dir.join("system.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let asked: Arc<Mutex<Vec<Ask>>> = Arc::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let mut line = String::new();
                BufReader::new(&stream).read_line(&mut line).unwrap();
                let ask: Ask = serde_json::from_str(&line).unwrap();
                let reply: Option<Reply> = answer(&ask).into();
                heard.lock().unwrap().push(ask);
                if let Some(reply) = reply {
                    let line = serde_json::to_string(&reply).unwrap() + "\n";
                    { &stream }.write_all(line.as_bytes()).unwrap();
                }
            }
        });
        Self { asked, path }
    }

    /// All questions so far.
    pub fn asked(&self) -> Vec<Ask> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
