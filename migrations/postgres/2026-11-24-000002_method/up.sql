-- A second factor of any kind: what every kind has. What one kind needs stands in that kind's own table.
CREATE TABLE method (
  id           TEXT    NOT NULL PRIMARY KEY,
  account_id   TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  kind         TEXT    NOT NULL,
  state        TEXT    NOT NULL CHECK (state IN ('pending', 'active', 'removed', 'abandoned')),
  label        TEXT    NOT NULL,
  created_at   BIGINT NOT NULL,
  last_used_at BIGINT,
  expires_at   BIGINT NOT NULL,
  replaces     TEXT,
  session_id   TEXT    NOT NULL
);

CREATE INDEX method_of_account ON method (account_id, state);

CREATE UNIQUE INDEX method_one_pending_of_a_kind ON method (account_id, kind) WHERE state = 'pending';
