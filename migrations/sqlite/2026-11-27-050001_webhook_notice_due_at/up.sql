-- When the mail to the client's contact is due, or due again, that tells of a webhook that we have disabled; NULL where there is none to send.
ALTER TABLE webhook ADD COLUMN notice_due_at INTEGER;
