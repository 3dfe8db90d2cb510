-- Since when the account waits for support to look after it, since its owner took a disable back; NULL when it does not.
ALTER TABLE account ADD COLUMN flagged_at BIGINT;
