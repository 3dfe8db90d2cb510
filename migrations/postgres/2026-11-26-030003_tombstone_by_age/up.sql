-- Finds the tombstones that nobody has used in time.
CREATE INDEX tombstone_by_age ON tombstone (expires_at);
