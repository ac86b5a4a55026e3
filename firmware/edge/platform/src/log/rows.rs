//! Warnings and errors as rows for the administrator's logs.

use std::fmt::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use model::WallTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Rows that wait: more come only where something goes wrong over and over, and says nothing new.
const ROWS: usize = 256;

/// A warning or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// An error; else a warning.
    pub is_error: bool,
    /// When.
    pub at: WallTime,
    /// What, in one line.
    pub text: String,
}

/// Takes what is said of level WARN and ERROR; never waits.
#[derive(Debug)]
pub struct Rows(SyncSender<Row>);

/// A layer for the subscriber, and where its rows come out.
#[must_use]
pub fn rows() -> (Rows, Receiver<Row>) {
    let (sender, receiver) = sync_channel(ROWS);
    (Rows(sender), receiver)
}

impl<S: Subscriber> Layer<S> for Rows {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        // Where nobody takes them, they are in the process's output all the same.
        let _ = self.0.try_send(Row {
            is_error: level == Level::ERROR,
            at: crate::clock::wall(),
            text: text.line(),
        });
    }
}

/// The message, then the fields.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn line(self) -> String {
        let Self { message, fields } = self;
        match fields.strip_prefix(", ") {
            Some(fields) => format!("{message} ({fields})"),
            None => message,
        }
    }
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string can't fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, ", {}: {value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn warnings_and_errors_come_out_and_nothing_else_does() {
        let (layer, rows) = rows();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("all is well");
            tracing::warn!(calls = 2, "calls were cut");
            tracing::error!(error = %"no room", path = "/data", "the disk is full");
        });
        let rows: Vec<_> = rows
            .try_iter()
            .map(|row| (row.is_error, row.text))
            .collect();
        assert_eq!(
            rows,
            [
                (false, "calls were cut (calls: 2)".to_owned()),
                (
                    true,
                    "the disk is full (error: no room, path: /data)".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn nobody_waits_where_nobody_takes_them() {
        let (layer, rows) = rows();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2 * ROWS {
                tracing::warn!("again");
            }
        });
        assert_eq!(rows.try_iter().count(), ROWS);
    }
}
