-- The password hash that a client last sent for an account, as a keyed hash: a sign-in makes the account's own anew, and so is it known again.
CREATE TABLE provisioned (
  account_id TEXT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  password   BLOB NOT NULL
) STRICT;
