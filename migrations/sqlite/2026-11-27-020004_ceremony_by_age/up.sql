-- Finds what nobody has answered in time.
CREATE INDEX ceremony_by_age ON ceremony (expires_at);
