-- Counts an account's recovery codes, which every status tells, without looking the codes up one by one.
CREATE INDEX recovery_code_standing ON recovery_code (account_id, used_at, created_at);
