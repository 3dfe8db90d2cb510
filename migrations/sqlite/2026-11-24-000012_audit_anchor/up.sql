-- Where the chains of the audit ended at some moment, chained in their turn: what was anchored and exported cannot be cut off unseen.
CREATE TABLE audit_anchor (
  n      INTEGER NOT NULL PRIMARY KEY,
  at     INTEGER NOT NULL,
  before TEXT    NOT NULL,
  heads  TEXT    NOT NULL,
  key_id TEXT    NOT NULL,
  hash   TEXT    NOT NULL
) STRICT;
