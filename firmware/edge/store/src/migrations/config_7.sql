-- Whether the sound of an extension is encrypted: as it was so far.
ALTER TABLE extensions ADD COLUMN srtp TEXT NOT NULL DEFAULT 'off';
