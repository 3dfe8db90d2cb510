-- What the role that serves may do, given by the role that owns the schema, once, after its first `migrate`:
--
--   psql -v ON_ERROR_STOP=1 -v serving=twofold_serving -f grants.sql 'postgres://twofold_owner@…/twofold'
--
-- It reads and writes rows, and changes no table. A row of the audit is never altered, and an anchor never dropped,
-- by whoever takes over the service.
GRANT USAGE ON SCHEMA public TO :"serving";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"serving";
REVOKE UPDATE ON audit FROM :"serving";
REVOKE UPDATE, DELETE ON audit_anchor, audit_end, restoration FROM :"serving";
REVOKE DELETE ON account, audit_cut, client FROM :"serving";
REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM :"serving";
REVOKE ALL ON twofold_migration_lock FROM :"serving";
-- Tables that later migrations add.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"serving";
