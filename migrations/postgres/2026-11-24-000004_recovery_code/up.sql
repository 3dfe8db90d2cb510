-- The live set of recovery codes, as keyed hashes; a new set deletes the old one.
CREATE TABLE recovery_code (
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  hashed     TEXT    NOT NULL,
  created_at BIGINT NOT NULL,
  used_at    BIGINT,
  PRIMARY KEY (account_id, hashed)
);
