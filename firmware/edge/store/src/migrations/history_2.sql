-- Who ended a call, where an administrator did.
ALTER TABLE calls ADD COLUMN administrator TEXT;

-- Processes that ended by themselves. A row is told once, however often it is.
CREATE TABLE endings (
    at      INTEGER NOT NULL,
    process TEXT    NOT NULL,
    PRIMARY KEY (at, process)
) STRICT, WITHOUT ROWID;
