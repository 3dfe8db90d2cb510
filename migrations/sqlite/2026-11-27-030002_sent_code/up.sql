-- The live code of a method, as a keyed hash bound to what it was asked for; sealed beside it until it is sent, or given up.
CREATE TABLE sent_code (
  method_id  TEXT    NOT NULL PRIMARY KEY REFERENCES method (id) ON DELETE CASCADE,
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  kind       TEXT    NOT NULL,
  binding    TEXT    NOT NULL,
  hashed     TEXT    NOT NULL,
  sealed     BLOB,
  due_at     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
