-- A sign-in and what descends from it; refresh tokens are keyed hashes, the current one and its predecessor.
CREATE TABLE session (
  id             TEXT    NOT NULL PRIMARY KEY,
  account_id     TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  created_at     INTEGER NOT NULL,
  last_seen_at   INTEGER NOT NULL,
  idle_until     INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  ip             TEXT    NOT NULL,
  user_agent     TEXT    NOT NULL,
  acr            TEXT    NOT NULL,
  amr            TEXT    NOT NULL,
  auth_time      INTEGER NOT NULL,
  refresh        TEXT    NOT NULL,
  previous       TEXT,
  previous_until INTEGER,
  ended_at       INTEGER
) STRICT;

CREATE INDEX session_of_account ON session (account_id, ended_at);
