-- Finds the devices of an account.
CREATE INDEX device_of_account ON device (account_id);
