-- Since when the account is suspended: nobody signs in to it until it is enabled again.
ALTER TABLE account ADD COLUMN suspended_at BIGINT;
