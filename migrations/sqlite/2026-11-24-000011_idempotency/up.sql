-- Idempotency keys in use: the lease of a running request, or the outcome of one that succeeded.
CREATE TABLE idempotency (
  account_id  TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  key         BLOB    NOT NULL,
  fingerprint BLOB    NOT NULL,
  is_done     INTEGER NOT NULL,
  outcome     TEXT,
  created_at  INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  PRIMARY KEY (account_id, key)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (created_at);
