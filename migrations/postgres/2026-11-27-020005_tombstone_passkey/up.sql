-- What passkey held of one that was switched off, sealed as it was there; an undo puts it back. Until then its name is taken.
CREATE TABLE tombstone_passkey (
  method_id  TEXT NOT NULL PRIMARY KEY REFERENCES method (id) ON DELETE CASCADE,
  account_id TEXT NOT NULL REFERENCES tombstone (account_id) ON DELETE CASCADE,
  name       TEXT NOT NULL UNIQUE,
  sealed     BYTEA NOT NULL,
  counter    BIGINT NOT NULL
);
