-- When a method of the account last passed a check-up; NULL when none did.
ALTER TABLE account ADD COLUMN checked_at BIGINT;
