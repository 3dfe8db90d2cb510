-- The one account that the command line added, copied, in SQL of both engines: a process and a password hash each
-- would take minutes. An account that was only added is this one row, and nothing in it is bound to its id.
WITH RECURSIVE copies (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copies WHERE number < :accounts - 1)
INSERT INTO account (id, email, password_hash, password_changed_at, locale, scope, created_at, version, activity, epoch)
SELECT substr(id, 1, 24) || CAST(100000000000 + number AS TEXT), 'person' || number || '@example.test', password_hash,
  password_changed_at, locale, scope, created_at, version, activity, epoch
FROM account, copies WHERE email = 'person0@example.test';
