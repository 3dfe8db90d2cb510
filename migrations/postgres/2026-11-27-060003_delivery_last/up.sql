-- Finds the last mail to an account about one kind of event without a walk through everybody's, and all mails of one that is deleted.
CREATE INDEX delivery_last ON delivery (account_id, target, kind, position);
