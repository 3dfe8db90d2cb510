-- Finds the sessions that nothing asks for any more.
CREATE INDEX session_by_age ON session (expires_at);
