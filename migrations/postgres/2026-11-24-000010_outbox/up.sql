-- What others are to be told, written with the change it tells of; the audit row is the content.
CREATE TABLE outbox (
  event_id     TEXT    NOT NULL PRIMARY KEY,
  account_id   TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  created_at   BIGINT NOT NULL,
  due_at       BIGINT NOT NULL,
  attempts     BIGINT NOT NULL,
  delivered_at BIGINT
);

CREATE INDEX outbox_due ON outbox (due_at) WHERE delivered_at IS NULL;
