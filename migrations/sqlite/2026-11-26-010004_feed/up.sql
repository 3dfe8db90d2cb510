-- The number of the last announcement; whoever numbers the next ones moves it by compare and set.
CREATE TABLE feed (
  n        INTEGER NOT NULL PRIMARY KEY CHECK (n = 1),
  position INTEGER NOT NULL CHECK (position >= 0)
) STRICT;
