-- An address of a client's that announcements are sent to, signed by a secret that lies here sealed; the one before it signs too until `previous_until`.
CREATE TABLE webhook (
  id               TEXT    NOT NULL PRIMARY KEY,
  client_id        TEXT    NOT NULL REFERENCES client (id),
  url              TEXT    NOT NULL,
  kinds            TEXT,
  description      TEXT,
  secret           BYTEA   NOT NULL,
  previous         BYTEA,
  previous_until   BIGINT,
  created_at       BIGINT  NOT NULL,
  disabled_at      BIGINT,
  disabled_because TEXT,
  failing_since    BIGINT
);
