-- Finds the bypass codes that nobody has used in time.
CREATE INDEX bypass_code_by_age ON bypass_code (expires_at);
