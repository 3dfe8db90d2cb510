-- Finds the devices whose time is over.
CREATE INDEX device_by_age ON device (expires_at);
