-- Finds what a tombstone holds.
CREATE INDEX tombstone_totp_of_account ON tombstone_totp (account_id);
