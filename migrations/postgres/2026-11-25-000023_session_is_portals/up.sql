-- 1 for a session of the portal's, which began at its own issuer and has no refresh token of ours.
ALTER TABLE session ADD COLUMN is_portals BIGINT NOT NULL DEFAULT 0;
