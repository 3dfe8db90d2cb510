-- Where a chain of the audit begins whose older rows were dropped: the number and hash of the last of them, under a seal that the database cannot make.
CREATE TABLE audit_cut (
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  stream     TEXT    NOT NULL CHECK (stream IN ('state', 'activity')),
  seq        INTEGER NOT NULL,
  hash       BLOB    NOT NULL,
  key_id     TEXT    NOT NULL,
  seal       BLOB    NOT NULL,
  PRIMARY KEY (account_id, stream)
) STRICT;
