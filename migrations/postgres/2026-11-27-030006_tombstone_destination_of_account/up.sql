-- Finds what lies under the tombstone of an account.
CREATE INDEX tombstone_destination_of_account ON tombstone_destination (account_id);
