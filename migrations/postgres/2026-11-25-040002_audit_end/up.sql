-- Where the chains of a deleted account ended, under a seal that the database cannot make: anchors that saw them are held against it.
CREATE TABLE audit_end (
  account_id    TEXT    NOT NULL PRIMARY KEY,
  at            BIGINT  NOT NULL,
  state_seq     BIGINT  NOT NULL,
  state_hash    BYTEA   NOT NULL,
  activity_seq  BIGINT  NOT NULL,
  activity_hash BYTEA   NOT NULL,
  key_id        TEXT    NOT NULL,
  seal          BYTEA   NOT NULL
);
