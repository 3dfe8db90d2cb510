-- An account: its credentials, and the counters that order its changes. Times are milliseconds since 1970.
CREATE TABLE account (
  id                  TEXT    NOT NULL PRIMARY KEY,
  email               TEXT    NOT NULL UNIQUE,
  password_hash       TEXT    NOT NULL,
  password_changed_at INTEGER NOT NULL,
  locale              TEXT    NOT NULL,
  scope               TEXT    NOT NULL,
  created_at          INTEGER NOT NULL,
  version             INTEGER NOT NULL CHECK (version >= 0),
  activity            INTEGER NOT NULL CHECK (activity >= 0),
  epoch               INTEGER NOT NULL CHECK (epoch >= 0),
  enabled_at          INTEGER,
  disabled_at         INTEGER,
  reminder_at         INTEGER
) STRICT;
