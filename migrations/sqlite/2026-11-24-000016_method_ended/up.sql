-- When a method ended, and what finds those to be dropped. Of those that ended before, the last moment that is known.
ALTER TABLE method ADD COLUMN ended_at INTEGER;

UPDATE method SET ended_at = COALESCE(last_used_at, expires_at) WHERE state IN ('removed', 'abandoned');

CREATE INDEX method_pending ON method (expires_at) WHERE state = 'pending';

CREATE INDEX method_abandoned ON method (ended_at) WHERE state = 'abandoned';

CREATE INDEX method_removed ON method (ended_at) WHERE state = 'removed';
