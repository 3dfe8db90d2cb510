-- That the database was restored from a copy, and the last anchor that the copy had, under a seal that the database cannot make.
CREATE TABLE restoration (
  n           INTEGER NOT NULL PRIMARY KEY,
  at          INTEGER NOT NULL,
  anchor      INTEGER NOT NULL,
  anchor_hash TEXT    NOT NULL,
  key_id      TEXT    NOT NULL,
  seal        BLOB    NOT NULL
) STRICT;
