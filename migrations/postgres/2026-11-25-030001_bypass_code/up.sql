-- The live bypass code of an account, as a keyed hash; a new one takes its place, and it is deleted when it is used or dies.
CREATE TABLE bypass_code (
  account_id TEXT    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  id         TEXT    NOT NULL,
  hashed     TEXT    NOT NULL,
  expires_at BIGINT NOT NULL
);
