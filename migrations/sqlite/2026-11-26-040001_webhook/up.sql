-- An address of a client's that announcements are sent to, signed by a secret that lies here sealed; the one before it signs too until `previous_until`.
CREATE TABLE webhook (
  id               TEXT    NOT NULL PRIMARY KEY,
  client_id        TEXT    NOT NULL REFERENCES client (id),
  url              TEXT    NOT NULL,
  kinds            TEXT,
  description      TEXT,
  secret           BLOB    NOT NULL,
  previous         BLOB,
  previous_until   INTEGER,
  created_at       INTEGER NOT NULL,
  disabled_at      INTEGER,
  disabled_because TEXT,
  failing_since    INTEGER
) STRICT;
