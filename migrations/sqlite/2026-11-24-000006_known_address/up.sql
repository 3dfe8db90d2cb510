-- Network addresses that an account has signed in from, as keyed hashes: they have login buckets of their own.
CREATE TABLE known_address (
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  address    TEXT    NOT NULL,
  seen_at    INTEGER NOT NULL,
  PRIMARY KEY (account_id, address)
) STRICT;
