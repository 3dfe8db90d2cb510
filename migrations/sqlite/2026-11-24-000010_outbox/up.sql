-- What others are to be told, written with the change it tells of; the audit row is the content.
CREATE TABLE outbox (
  event_id     TEXT    NOT NULL PRIMARY KEY,
  account_id   TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  created_at   INTEGER NOT NULL,
  due_at       INTEGER NOT NULL,
  attempts     INTEGER NOT NULL,
  delivered_at INTEGER
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;
