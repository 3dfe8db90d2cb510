-- Finds the codes that are to be sent.
CREATE INDEX sent_code_due ON sent_code (kind, due_at) WHERE sealed IS NOT NULL;
