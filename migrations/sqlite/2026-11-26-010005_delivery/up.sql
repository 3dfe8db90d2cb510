-- An announcement on its way to one receiver: the owner by mail, or a webhook. While somebody delivers it, it is due later.
CREATE TABLE delivery (
  target     TEXT    NOT NULL,
  position   INTEGER NOT NULL,
  account_id TEXT    NOT NULL,
  kind       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL CHECK (attempts >= 0),
  state      TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  ended_at   INTEGER,
  status     INTEGER,
  error      TEXT,
  PRIMARY KEY (target, position)
) STRICT;
