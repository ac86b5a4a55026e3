//! The only SQL: configuration, call history, logs, sessions.
