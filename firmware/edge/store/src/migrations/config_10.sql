-- What becomes of calls to the extensions of a user: nothing but that they ring.
ALTER TABLE users ADD COLUMN ringing TEXT NOT NULL DEFAULT '{}';
