-- The moment of the last change that older tokens must not outlive: those of the portal's own issuer, which know of no epoch, are judged by it.
ALTER TABLE account ADD COLUMN tokens_valid_after BIGINT NOT NULL DEFAULT 0;
