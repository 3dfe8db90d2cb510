-- Finds what was announced and is not numbered yet.
CREATE INDEX announcement_unnumbered ON announcement (at) WHERE position IS NULL;
