-- Devices that are remembered: the keyed hash of the token that each holds now, and of the one before. They are good for the account's epoch alone.
CREATE TABLE device (
  id             TEXT    NOT NULL PRIMARY KEY,
  account_id     TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  hashed         TEXT    NOT NULL,
  previous       TEXT,
  previous_until INTEGER,
  epoch          INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  last_used_at   INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  ip             TEXT    NOT NULL,
  user_agent     TEXT    NOT NULL,
  session_id     TEXT    NOT NULL
) STRICT;
