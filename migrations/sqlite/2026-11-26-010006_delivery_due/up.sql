-- Finds what is due to be delivered to one receiver.
CREATE INDEX delivery_due ON delivery (target, due_at) WHERE state = 'waiting';
