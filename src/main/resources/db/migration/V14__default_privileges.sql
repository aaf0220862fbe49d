-- What everybody may call here is whatever is not revoked by name, also where the role that installs this has revoked
-- what it makes from everybody.
ALTER DEFAULT PRIVILEGES IN SCHEMA tenantry GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA tenantry GRANT USAGE ON TYPES TO PUBLIC;
GRANT USAGE ON TYPE tenantry.noderole TO PUBLIC;
