-- Where the codes of a method go: an e-mail address or a telephone number, sealed.
CREATE TABLE destination (
  method_id TEXT NOT NULL PRIMARY KEY REFERENCES method (id) ON DELETE CASCADE,
  sealed    BYTEA NOT NULL
);
