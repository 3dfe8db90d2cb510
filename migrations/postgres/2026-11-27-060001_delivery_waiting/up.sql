-- Finds what is due to be delivered to one receiver. A delivery waits until it has ended; a state that is bound to a statement would not let every planner see that this index holds all that wait.
CREATE INDEX delivery_waiting ON delivery (target, due_at) WHERE ended_at IS NULL;
