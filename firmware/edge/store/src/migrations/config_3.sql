-- Which digest algorithms phones are asked for.
ALTER TABLE general ADD COLUMN digest TEXT NOT NULL DEFAULT 'md5';
