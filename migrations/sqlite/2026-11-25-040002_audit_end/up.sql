-- Where the chains of a deleted account ended, under a seal that the database cannot make: anchors that saw them are held against it.
CREATE TABLE audit_end (
  account_id    TEXT    NOT NULL PRIMARY KEY,
  at            INTEGER NOT NULL,
  state_seq     INTEGER NOT NULL,
  state_hash    BLOB    NOT NULL,
  activity_seq  INTEGER NOT NULL,
  activity_hash BLOB    NOT NULL,
  key_id        TEXT    NOT NULL,
  seal          BLOB    NOT NULL
) STRICT;
