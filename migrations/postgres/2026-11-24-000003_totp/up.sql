-- An authenticator app: its sealed secret, and the last time step that was accepted (RFC 6238, section 5.2).
CREATE TABLE totp (
  method_id TEXT NOT NULL PRIMARY KEY REFERENCES method (id) ON DELETE CASCADE,
  sealed    BYTEA NOT NULL,
  last_step BIGINT NOT NULL
);
