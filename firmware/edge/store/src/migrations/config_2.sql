-- Which version a row tells of, so that it can be said who last changed an object.
ALTER TABLE config_log ADD COLUMN version INTEGER;

CREATE INDEX config_log_version ON config_log (version) WHERE version IS NOT NULL;
