-- The ledger of guesses: a bucket a thing that can be guessed; its state is the JSON of domain/lockout.rs.
CREATE TABLE bucket (
  scope      TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  state      TEXT    NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (scope, key)
) STRICT;

CREATE INDEX bucket_by_age ON bucket (updated_at);
