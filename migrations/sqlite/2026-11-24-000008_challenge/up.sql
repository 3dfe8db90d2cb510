-- A sign-in whose password was right and whose second factor is awaited; its token is a keyed hash.
CREATE TABLE challenge (
  id         TEXT    NOT NULL PRIMARY KEY,
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  hashed     TEXT    NOT NULL,
  epoch      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;

CREATE INDEX challenge_of_account ON challenge (account_id, ended_at);

CREATE INDEX challenge_by_age ON challenge (expires_at);
