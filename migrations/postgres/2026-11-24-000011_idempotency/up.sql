-- Idempotency keys in use: the lease of a running request, or the outcome of one that succeeded.
CREATE TABLE idempotency (
  account_id  TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  key         BYTEA    NOT NULL,
  fingerprint BYTEA    NOT NULL,
  is_done     BIGINT NOT NULL,
  outcome     TEXT,
  created_at  BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  PRIMARY KEY (account_id, key)
);

CREATE INDEX idempotency_by_age ON idempotency (created_at);
