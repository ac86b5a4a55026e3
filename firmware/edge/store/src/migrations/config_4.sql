-- The name an extension is shown by in calls, where it is not its user's.
ALTER TABLE extensions ADD COLUMN caller_name TEXT;
