-- Finds the account of a token of the portal's own issuer, and lets a name belong to one account alone.
CREATE UNIQUE INDEX account_by_subject ON account (subject);
