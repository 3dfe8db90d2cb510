-- Which processes serve, and which keys each of them has: a key is used when all have it.
CREATE TABLE replica (
  id      TEXT    NOT NULL PRIMARY KEY,
  name    TEXT    NOT NULL,
  keys    TEXT    NOT NULL,
  seen_at BIGINT NOT NULL
);
