-- The extension that was called, where a rule led the call elsewhere: a party as JSON.
ALTER TABLE calls ADD COLUMN forwarded_from TEXT;
