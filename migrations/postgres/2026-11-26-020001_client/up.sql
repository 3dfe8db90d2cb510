-- A partner's program: what it may do, and a keyed hash of its secret; the one before it counts until `previous_until`.
CREATE TABLE client (
  id             TEXT    NOT NULL PRIMARY KEY,
  name           TEXT    NOT NULL,
  secret         TEXT    NOT NULL,
  previous       TEXT,
  previous_until BIGINT,
  scope          TEXT    NOT NULL,
  sees_all       BIGINT NOT NULL,
  contact        TEXT,
  created_at     BIGINT NOT NULL,
  disabled_at    BIGINT,
  epoch          BIGINT NOT NULL CHECK (epoch >= 0)
);
