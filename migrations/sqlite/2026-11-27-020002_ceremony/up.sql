-- A passkey that was asked for: by what the answer is for, until when, and what it is checked against. Its row is gone with the answer.
CREATE TABLE ceremony (
  binding    TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  state      BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
