-- Finds the chains that have grown since the last anchor.
CREATE INDEX audit_by_age ON audit (at);
