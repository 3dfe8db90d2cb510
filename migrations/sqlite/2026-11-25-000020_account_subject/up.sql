-- The account's name at the portal's own issuer (`sub` of its tokens), where there is one.
ALTER TABLE account ADD COLUMN subject TEXT;
