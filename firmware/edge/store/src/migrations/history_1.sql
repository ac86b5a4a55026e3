-- Times are microseconds since the Unix epoch, durations are microseconds.

CREATE TABLE meta (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    last_call INTEGER
) STRICT;

INSERT INTO meta VALUES (1, NULL);

-- What is searched and sorted by; rows are small so that a scan is quick.
CREATE TABLE calls (
    id               INTEGER PRIMARY KEY,
    started          INTEGER NOT NULL,
    answered         INTEGER,
    ended            INTEGER NOT NULL,
    duration         INTEGER NOT NULL, -- talked, zero without an answer
    caller_number    TEXT    NOT NULL,
    caller_name      TEXT,
    caller_extension INTEGER,
    dialled          TEXT    NOT NULL,
    called_number    TEXT,
    called_name      TEXT,
    called_extension INTEGER,
    disposition      TEXT    NOT NULL,
    cause            INTEGER NOT NULL,
    ended_by         TEXT    NOT NULL,
    transferred_from INTEGER,
    mos              INTEGER           -- of the worse leg, in hundredths
) STRICT;

CREATE INDEX calls_started ON calls (started);
CREATE INDEX calls_caller ON calls (caller_extension, started) WHERE caller_extension IS NOT NULL;
CREATE INDEX calls_called ON calls (called_extension, started) WHERE called_extension IS NOT NULL;

-- What is only looked at, call by call.
CREATE TABLE call_legs (
    call INTEGER PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,
    legs TEXT    NOT NULL -- JSON array of model's `LegRecord`
) STRICT;

CREATE TABLE security_log (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    at   INTEGER NOT NULL,
    text TEXT    NOT NULL
) STRICT;

CREATE TABLE warning_log (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    at   INTEGER NOT NULL,
    text TEXT    NOT NULL
) STRICT;

CREATE TABLE error_log (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    at   INTEGER NOT NULL,
    text TEXT    NOT NULL
) STRICT;
