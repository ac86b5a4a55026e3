//! One SQLite file: how it is opened, migrated and shared between threads.
