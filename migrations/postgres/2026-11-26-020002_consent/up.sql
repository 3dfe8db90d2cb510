-- That a client may see an account, since when, and who said so: owner, operator, or provisioning.
CREATE TABLE consent (
  account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  client_id  TEXT    NOT NULL REFERENCES client (id),
  granted_at BIGINT NOT NULL,
  granted_by TEXT    NOT NULL,
  PRIMARY KEY (account_id, client_id)
);
