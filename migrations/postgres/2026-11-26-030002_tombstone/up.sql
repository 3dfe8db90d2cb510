-- That an account's two-factor authentication was switched off and the owner may still undo it, until expires_at. Its secrets lie in tombstone_totp.
CREATE TABLE tombstone (
  account_id  TEXT    NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  disabled_at BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL
);
