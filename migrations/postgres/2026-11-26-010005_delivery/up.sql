-- An announcement on its way to one receiver: the owner by mail, or a webhook. While somebody delivers it, it is due later.
CREATE TABLE delivery (
  target     TEXT    NOT NULL,
  position   BIGINT NOT NULL,
  account_id TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  created_at BIGINT NOT NULL,
  due_at     BIGINT NOT NULL,
  attempts   BIGINT NOT NULL CHECK (attempts >= 0),
  state      TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  ended_at   BIGINT,
  status     BIGINT,
  error      TEXT,
  PRIMARY KEY (target, position)
);
