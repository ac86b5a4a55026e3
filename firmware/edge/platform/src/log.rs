//! Log lines on their way to the standard error output, which nobody waits for, and warnings and
//! errors on their way to the logs that administrators read.
//!
//! A thread of its own writes the lines. Where its reader stalls, lines queue up to a limit and are lost
//! beyond it; how many is said before the next line that gets through.

mod rows;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

pub use rows::{Row, Rows, rows};

/// Lines that wait: some hundred kilobytes, and more than is ever said at once.
const LINES: usize = 4096;

/// A writer for the log, and what brings the last lines out when it is dropped at the end of `main`
/// (within a second). Starts a thread: block signals before, if at all.
pub fn to_stderr() -> (NonBlocking, WorkerGuard) {
    to(io::stderr(), LINES)
}

/// Whether lines may have colours: a terminal shows them, a file or a pipe has them as litter.
/// `NO_COLOR` says no in any case.
#[must_use]
pub fn in_colour() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !unwanted
}

fn to<W: Write + Send + 'static>(output: W, lines: usize) -> (NonBlocking, WorkerGuard) {
    let lost = Arc::new(OnceLock::new());
    let telling = Telling {
        output,
        lost: Arc::clone(&lost),
        told: 0,
    };
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(lines)
        .lossy(true)
        .thread_name("log")
        .finish(telling);
    lost.get_or_init(|| writer.error_counter());
    (writer, guard)
}

/// Tells what was lost before it writes a line.
struct Telling<W> {
    output: W,
    lost: Arc<OnceLock<ErrorCounter>>,
    told: usize,
}

impl<W: Write> Telling<W> {
    fn tell(&mut self) -> io::Result<()> {
        let lost = self.lost.get().map_or(0, ErrorCounter::dropped_lines);
        if lost > self.told {
            let lines = lost - self.told;
            self.told = lost;
            writeln!(
                self.output,
                "{lines} lines of the log are lost: they were not read in time"
            )?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Telling<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.write(octets)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.tell()?;
        self.output.write_all(line)
    }

    /// Called whenever there are no more lines.
    fn flush(&mut self) -> io::Result<()> {
        self.tell()?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_reader_that_stalls_stops_nobody_and_is_told_what_it_missed() {
        let (mut reader, output) = io::pipe().expect("a pipe");
        let (mut log, guard) = to(output, 16);
        // Much more than a pipe and the queue hold; nobody reads yet.
        let count = 20_000;
        for number in 0..count {
            // A line is one write, as of a subscriber.
            let line = format!("line {number} of the log\n");
            log.write_all(line.as_bytes()).expect("never refused");
        }
        let lost = log.error_counter().dropped_lines();
        assert!(lost > 0, "it waited");
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).expect("text");
            text
        });
        drop((log, guard));
        let text = reader.join().expect("read");
        let (mut came, mut told) = (0, 0);
        for line in text.lines() {
            match line.split_once(" lines of the log are lost") {
                Some((lines, _)) => told += lines.parse::<usize>().expect("a number"),
                None => came += 1,
            }
        }
        assert_eq!((came, told), (count - lost, lost));
    }
}
