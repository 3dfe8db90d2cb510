-- Finds announcements that are old enough to be dropped.
CREATE INDEX announcement_by_age ON announcement (at);
