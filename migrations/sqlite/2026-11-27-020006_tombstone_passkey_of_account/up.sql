-- Finds what a tombstone holds.
CREATE INDEX tombstone_passkey_of_account ON tombstone_passkey (account_id);
