-- What others are to be told of an account: written with the change, and by itself, since it outlives the account. Numbered once it is committed. It takes the place of the outbox, which the version before still writes and nobody reads.
CREATE TABLE announcement (
  id         TEXT    NOT NULL PRIMARY KEY,
  account_id TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  recipient  TEXT,
  locale     TEXT    NOT NULL,
  facts      TEXT    NOT NULL,
  position   INTEGER UNIQUE
) STRICT;
