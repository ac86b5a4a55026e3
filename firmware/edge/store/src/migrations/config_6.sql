-- Numbers that extensions had before: they are not proposed as long as there are others, since people
-- and phones may know them as somebody else's. The version is that of the change that freed them.
CREATE TABLE former_numbers (
    number  TEXT    PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
