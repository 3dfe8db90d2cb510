-- Finds the accounts whose owners are to be reminded.
CREATE INDEX account_to_remind ON account (reminder_at) WHERE reminder_at IS NOT NULL;
