-- The calling number as those outside saw it; empty where it was hidden.
ALTER TABLE calls ADD COLUMN shown_outside TEXT;
