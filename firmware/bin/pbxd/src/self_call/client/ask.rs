//! Asks the exchange for the phones' numbers, which it chose when it loaded its configuration.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use model::ExtensionNumber;
use model::control::{Ask, Message, Reply, Request};

/// How often an exchange that is about to start is looked for.
const AGAIN: Duration = Duration::from_millis(100);

/// The caller's number and the called phone's.
///
/// # Errors
/// In words for an administrator.
pub fn numbers(control: &Path, until: Instant) -> Result<[ExtensionNumber; 2]> {
    let stream = connect(control, until)?;
    let reply = ask(stream, until)
        .with_context(|| format!("the exchange does not answer at {}", control.display()))?;
    match reply {
        Reply::SelfCall { numbers } => Ok(numbers),
        Reply::NotFound => bail!(
            "the exchange was started without --self-call, or the file was not there when it loaded its configuration"
        ),
        Reply::Failed { text } => bail!("the exchange can't call itself: {text}"),
        other => bail!("the exchange gave an answer to something else: {other:?}"),
    }
}

fn connect(control: &Path, until: Instant) -> Result<UnixStream> {
    loop {
        let error = match UnixStream::connect(control) {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let starting = matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::ConnectionRefused
        );
        let rest = until.saturating_duration_since(Instant::now());
        if !starting || rest.is_zero() {
            return Err(error).with_context(|| {
                format!(
                    "the exchange does not run: nothing answers at {}",
                    control.display()
                )
            });
        }
        std::thread::sleep(rest.min(AGAIN));
    }
}

fn ask(mut stream: UnixStream, until: Instant) -> Result<Reply> {
    let rest = until.saturating_duration_since(Instant::now());
    stream.set_read_timeout(Some(rest.max(AGAIN)))?;
    let mut text = serde_json::to_string(&Ask {
        id: 1,
        request: Request::SelfCall,
    })?;
    text.push('\n');
    stream.write_all(text.as_bytes())?;
    let mut line = String::new();
    // The answer is two numbers.
    BufReader::new(stream.take(64 * 1024)).read_line(&mut line)?;
    match serde_json::from_str(&line)? {
        Message::Reply { reply, .. } => Ok(reply),
        Message::Notice { .. } => bail!("a notice that nobody asked for"),
    }
}
