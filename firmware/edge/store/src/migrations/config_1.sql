-- Times are microseconds since the Unix epoch. Names and numbers are unique too, but not by the
-- schema: model's check of the whole configuration sees to it before each commit, and two objects
-- can swap theirs in one transaction.

CREATE TABLE meta (
    id                 INTEGER PRIMARY KEY CHECK (id = 1),
    version            INTEGER NOT NULL,
    first_password_set INTEGER NOT NULL
) STRICT;

CREATE TABLE general (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    country     TEXT    NOT NULL,
    realm       TEXT    NOT NULL,
    no_answer_s INTEGER NOT NULL,
    revision    INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL,
    full_name TEXT    NOT NULL,
    email     TEXT,
    language  TEXT    NOT NULL,
    role      TEXT    NOT NULL,
    enabled   INTEGER NOT NULL,
    revision  INTEGER NOT NULL
) STRICT;

CREATE INDEX users_name ON users (name COLLATE NOCASE);

CREATE TABLE passwords (
    user INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT    NOT NULL
) STRICT;

CREATE TABLE extensions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    number       TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    user         INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED,
    enabled      INTEGER NOT NULL,
    sip_username TEXT    NOT NULL,
    sip_password TEXT    NOT NULL,
    codecs       TEXT    NOT NULL, -- JSON array
    revision     INTEGER NOT NULL
) STRICT;

CREATE INDEX extensions_user ON extensions (user);

CREATE TABLE sessions (
    token     BLOB    PRIMARY KEY, -- SHA-256 of it
    user      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address   TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    idle      INTEGER NOT NULL,    -- how long it lasts unused, in microseconds
    expires   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user);

CREATE TABLE config_log (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    text   TEXT    NOT NULL,
    author TEXT,
    host   TEXT
) STRICT;

-- The values of model's `General::default`.
INSERT INTO general VALUES (1, 'CZ', 'operator-box', 60, 0);
INSERT INTO meta VALUES (1, 0, 0);
-- The first account (WEB-2).
INSERT INTO users VALUES (1, 'Admin', 'Administrator', NULL, 'en', 'read_write', 1, 0);
