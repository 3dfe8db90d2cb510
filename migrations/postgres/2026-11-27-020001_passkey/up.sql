-- A passkey or security key: its sealed credential, the keyed name that it is found by, and the count of signatures that it said last (WebAuthn, section 6.1.1).
CREATE TABLE passkey (
  method_id TEXT NOT NULL PRIMARY KEY REFERENCES method (id) ON DELETE CASCADE,
  name      TEXT NOT NULL UNIQUE,
  sealed    BYTEA NOT NULL,
  counter   BIGINT NOT NULL
);
