-- What destination held of a method that was switched off, sealed as it was there; an undo puts it back.
CREATE TABLE tombstone_destination (
  method_id  TEXT NOT NULL PRIMARY KEY REFERENCES method (id) ON DELETE CASCADE,
  account_id TEXT NOT NULL REFERENCES tombstone (account_id) ON DELETE CASCADE,
  sealed     BYTEA NOT NULL
);
