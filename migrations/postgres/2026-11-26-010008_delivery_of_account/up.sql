-- Finds the deliveries of one account: those of one kind, and all of them when it is deleted.
CREATE INDEX delivery_of_account ON delivery (account_id, kind);
