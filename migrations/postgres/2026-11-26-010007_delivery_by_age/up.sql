-- Finds deliveries that are old enough to be dropped.
CREATE INDEX delivery_by_age ON delivery (created_at);
