-- The limit of the fraud protection by which a call was refused or ended: a word.
ALTER TABLE calls ADD COLUMN brake TEXT;
