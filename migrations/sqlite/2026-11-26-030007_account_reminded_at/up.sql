-- When the owner was last reminded that two-factor authentication is off; NULL where that was never done since the disable.
ALTER TABLE account ADD COLUMN reminded_at INTEGER;
