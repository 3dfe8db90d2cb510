-- An account: its credentials, and the counters that order its changes. Times are milliseconds since 1970.
CREATE TABLE account (
  id                  TEXT    NOT NULL PRIMARY KEY,
  email               TEXT    NOT NULL UNIQUE,
  password_hash       TEXT    NOT NULL,
  password_changed_at BIGINT NOT NULL,
  locale              TEXT    NOT NULL,
  scope               TEXT    NOT NULL,
  created_at          BIGINT NOT NULL,
  version             BIGINT NOT NULL CHECK (version >= 0),
  activity            BIGINT NOT NULL CHECK (activity >= 0),
  epoch               BIGINT NOT NULL CHECK (epoch >= 0),
  enabled_at          BIGINT,
  disabled_at         BIGINT,
  reminder_at         BIGINT
);
