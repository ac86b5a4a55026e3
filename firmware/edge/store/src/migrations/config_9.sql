-- Which number an extension shows outside: its own, as it was so far.
ALTER TABLE extensions ADD COLUMN caller_id TEXT NOT NULL DEFAULT '{"show":"own"}';
