-- What happened, in two hash chains an account: 'state' is numbered by the account's version, 'activity' by its own count;
-- 'ordinal' is the sum of both, and orders them as they happened.
CREATE TABLE audit (
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  stream     TEXT    NOT NULL CHECK (stream IN ('state', 'activity')),
  seq        INTEGER NOT NULL,
  ordinal    INTEGER NOT NULL,
  id         TEXT    NOT NULL UNIQUE,
  kind       TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  actor_kind TEXT    NOT NULL,
  actor_id   TEXT,
  session_id TEXT,
  ip         TEXT    NOT NULL,
  user_agent TEXT    NOT NULL,
  request_id TEXT    NOT NULL,
  details    TEXT    NOT NULL,
  key_id     TEXT    NOT NULL,
  hash       BLOB    NOT NULL,
  PRIMARY KEY (account_id, stream, seq),
  UNIQUE (account_id, ordinal)
) STRICT;
