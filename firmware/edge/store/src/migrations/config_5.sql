-- Parts of the configuration that are read and written as a whole: the body is the JSON of model's
-- type of that kind.
CREATE TABLE items (
    kind     TEXT    NOT NULL,
    id       INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- The greatest id that ever was of each kind: none is given twice.
CREATE TABLE item_ids (
    kind TEXT    PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
