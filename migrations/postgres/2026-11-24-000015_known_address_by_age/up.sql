-- Finds the addresses that do not count any more.
CREATE INDEX known_address_by_age ON known_address (seen_at);
