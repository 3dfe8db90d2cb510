-- Finds the codes that nobody has used in time.
CREATE INDEX sent_code_by_age ON sent_code (expires_at);
