-- When the account first met the requirement of two-factor authentication, which its time to set it up is counted from; NULL until it does. It is set once.
ALTER TABLE account ADD COLUMN required_since BIGINT;
