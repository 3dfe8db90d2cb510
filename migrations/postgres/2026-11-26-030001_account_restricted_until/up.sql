-- Until when others should hold back what cannot be undone, since the account's protection was lowered; NULL where it never was.
ALTER TABLE account ADD COLUMN restricted_until BIGINT;
