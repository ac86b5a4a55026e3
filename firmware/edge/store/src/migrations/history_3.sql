-- How often a row of the Security log happened within a series, and when first; `at` is the last time.
ALTER TABLE security_log ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
ALTER TABLE security_log ADD COLUMN first INTEGER;
