-- How often it happened: a mail that was held back tells of all that followed, instead of one mail each.
ALTER TABLE delivery ADD COLUMN times INTEGER NOT NULL DEFAULT 1 CHECK (times >= 1);
