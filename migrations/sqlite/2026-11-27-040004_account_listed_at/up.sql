-- Since when the operator has the account on the list of those who must have two-factor authentication; NULL when it is not on it.
ALTER TABLE account ADD COLUMN listed_at INTEGER;
