-- Schemas: registered by the proxy in the transaction that creates them, kept current by event triggers.

-- The role a client acts as; inside SECURITY DEFINER current_user is the definer.
CREATE OR REPLACE FUNCTION tenantry.acting_role() RETURNS name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
RETURN coalesce(nullif(current_setting('role', true), 'none')::name, session_user);

CREATE OR REPLACE FUNCTION tenantry.catalog_changed() RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
RETURN pg_notify('tenantry_catalog', '');
COMMENT ON FUNCTION tenantry.catalog_changed() IS
    'Tells every proxy, when this transaction commits, that nodes, schemas, roles or settings have changed';

-- Asked in the transaction that creates the schema. Whoever drains or removes the node waits for its end, and sees the
-- schema then; so the answer holds, whatever the proxy that asks has heard of the node. Nothing else waits.
CREATE OR REPLACE FUNCTION tenantry.takes_new_schemas(node_id integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    takes boolean;
BEGIN
    IF NOT has_database_privilege(tenantry.acting_role(), current_database(), 'CREATE') THEN
        RETURN true; -- CREATE SCHEMA says what is missing; a lock is nothing for this role
    END IF;
    IF current_setting('transaction_read_only') = 'on' THEN
        RETURN true; -- so does it that it can't
    END IF;
    PERFORM FROM tenantry.schema_home h WHERE h.nodeid = node_id FOR SHARE;
    SELECT n.isactive AND n.shouldhaveshards AND NOT EXISTS (SELECT FROM tenantry.silent_node s WHERE s.nodeid = node_id)
    INTO takes FROM tenantry.node n WHERE n.nodeid = node_id;
    RETURN coalesce(takes, false);
END
$$;
COMMENT ON FUNCTION tenantry.takes_new_schemas(integer) IS
    'Whether the node is meant to get new schemas, which stays so until this transaction has ended';

CREATE OR REPLACE FUNCTION tenantry.register_schema(schema_name text, node_id integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    namespace pg_namespace;
    target tenantry.node;
    new_id integer;
BEGIN
    SELECT * INTO namespace FROM pg_namespace n WHERE n.nspname = schema_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'schema "%" does not exist', schema_name USING ERRCODE = 'invalid_schema_name';
    END IF;
    -- As CREATE SCHEMA ... AUTHORIZATION: who may become the owner, also where it does not inherit its privileges.
    IF NOT pg_has_role(tenantry.acting_role(), namespace.nspowner, 'MEMBER') THEN
        RAISE EXCEPTION 'must be owner of schema %', schema_name USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF schema_name ~ '^pg_' OR schema_name IN ('public', 'information_schema', 'tenantry') THEN
        RAISE EXCEPTION '% schema cannot be distributed', schema_name USING ERRCODE = 'feature_not_supported';
    END IF;
    SELECT * INTO target FROM tenantry.node n WHERE n.nodeid = node_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node with node id % could not be found', node_id USING ERRCODE = 'undefined_object';
    END IF;
    IF NOT target.isactive THEN
        RAISE EXCEPTION 'node "%" is not active', target.name USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    -- A schema that was dropped or renamed while it moved: its half copy must not be taken for the new one.
    IF EXISTS (SELECT FROM tenantry.move m
               WHERE m.schema_name = register_schema.schema_name AND m.target_nodeid = node_id
                 AND m.finished_at IS NULL AND m.switched_at IS NULL) THEN
        RAISE EXCEPTION 'the copy of a former schema "%" is still on node "%"', schema_name, target.name
            USING ERRCODE = 'object_in_use',
            DETAIL = 'It was dropped or renamed while it was being moved there, which is being undone.',
            HINT = 'Try again in a moment, or SET tenantry.node to another node.';
    END IF;
    -- Tables of an ordinary schema of the coordinator would be out of reach afterwards.
    IF target.groupid <> 0 AND EXISTS (
        SELECT FROM pg_depend d
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = namespace.oid
          AND d.classid <> 'pg_default_acl'::regclass
    ) THEN
        RAISE EXCEPTION 'schema "%" is not empty on the coordinator', schema_name
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO tenantry.schema (schemaid, colocationid, nodeid)
    VALUES (namespace.oid, tenantry.next_number('tenantry.pg_dist_colocationid_seq'), node_id)
    ON CONFLICT (schemaid) DO NOTHING
    RETURNING colocationid INTO new_id;
    IF new_id IS NULL THEN
        RAISE EXCEPTION 'schema % is already distributed', schema_name USING ERRCODE = 'duplicate_schema';
    END IF;
    PERFORM tenantry.catalog_changed();
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION tenantry.register_schema(text, integer) IS
    'Makes the schema created by this transaction a distributed one of that node; returns its colocation id';

-- Which nodes own schemas now, whatever the proxy that asks has heard; by their numbers in the list, and nothing for those
-- that are no distributed ones. Asked in the transaction that is about to drop or alter them, and has them as they are
-- until it ends, if it may. What was told is kept for the event triggers below.
CREATE OR REPLACE FUNCTION tenantry.owners_of_schemas(names text[], altered boolean)
RETURNS TABLE (number integer, colocationid integer, nodeid integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    wanted record;
    owner tenantry.schema;
    told text := coalesce(nullif(current_setting('tenantry.told_owners', true), ''), 'told');
BEGIN
    FOR wanted IN
        SELECT n.number, to_regnamespace(quote_ident(n.name))::oid AS schemaid
        FROM unnest(names) WITH ORDINALITY AS n (name, number)
        WHERE to_regnamespace(quote_ident(n.name)) IS NOT NULL
        ORDER BY n.name
    LOOP
        IF NOT EXISTS (SELECT FROM pg_namespace p WHERE p.oid = wanted.schemaid) THEN
            RAISE EXCEPTION 'could not serialize access due to concurrent creation of a schema'
                USING ERRCODE = 'serialization_failure';
        END IF;
        IF altered AND current_setting('transaction_read_only') = 'off' AND EXISTS (
            SELECT FROM pg_namespace p
            WHERE p.oid = wanted.schemaid AND pg_has_role(tenantry.acting_role(), p.nspowner, 'USAGE'))
        THEN
            SELECT * INTO owner FROM tenantry.schema s WHERE s.schemaid = wanted.schemaid FOR UPDATE;
        ELSE
            SELECT * INTO owner FROM tenantry.schema s WHERE s.schemaid = wanted.schemaid;
        END IF;
        IF FOUND THEN
            told := concat(told, ' ', owner.schemaid, '@', owner.nodeid);
            RETURN QUERY SELECT wanted.number::integer, owner.colocationid, owner.nodeid;
        END IF;
    END LOOP;
    PERFORM set_config('tenantry.told_owners', told || ' ', true);
END
$$;
COMMENT ON FUNCTION tenantry.owners_of_schemas(text[], boolean) IS
    'The nodes of the schemas of that names that this transaction drops or alters (true), or uses';

-- What was made, or has moved, between the question and the statement would change on the coordinator alone.
CREATE OR REPLACE FUNCTION tenantry.require_told(schema_id oid, node_id integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    told text := coalesce(current_setting('tenantry.told_owners', true), '');
BEGIN
    IF told <> '' AND strpos(told, format(' %s@%s ', schema_id, node_id)) = 0
       AND EXISTS (SELECT FROM tenantry.node n WHERE n.nodeid = node_id AND n.groupid <> 0)
    THEN
        RAISE EXCEPTION 'could not serialize access due to concurrent creation or move of a schema'
            USING ERRCODE = 'serialization_failure', HINT = 'Try again.';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_told(oid, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.note_dropped_schemas() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    dropped oid[];
    gone tenantry.schema;
BEGIN
    SELECT array_agg(objid) INTO dropped FROM pg_event_trigger_dropped_objects() WHERE object_type = 'schema';
    IF dropped IS NULL THEN
        RETURN;
    END IF;
    FOR gone IN DELETE FROM tenantry.schema WHERE schemaid = ANY (dropped) RETURNING * LOOP
        PERFORM tenantry.require_told(gone.schemaid, gone.nodeid);
        INSERT INTO tenantry.dropped_schema (schemaid) VALUES (gone.schemaid);
    END LOOP;
    IF FOUND THEN
        PERFORM tenantry.catalog_changed();
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION tenantry.note_altered_schemas() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    altered tenantry.schema;
BEGIN
    FOR altered IN
        UPDATE tenantry.schema SET changed = pg_current_xact_id()
        WHERE schemaid IN (SELECT objid FROM pg_event_trigger_ddl_commands() WHERE classid = 'pg_namespace'::regclass)
        RETURNING *
    LOOP
        PERFORM tenantry.require_told(altered.schemaid, altered.nodeid);
    END LOOP;
    IF FOUND THEN
        PERFORM tenantry.catalog_changed();
    END IF;
END
$$;

-- The namespaces of schemas of other nodes are empty here. Who has not heard of a new one would take its name for that of
-- an ordinary schema, and what he makes in it would be found by nobody.
CREATE OR REPLACE FUNCTION tenantry.guard_empty_namespaces() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    made record;
BEGIN
    IF coalesce(current_setting('tenantry.schema_ddl', true), '') = 'on' THEN
        RETURN; -- a move that makes a copy here
    END IF;
    SELECT c.schema_name, n.name INTO made
    FROM pg_event_trigger_ddl_commands() c
    JOIN pg_namespace p ON p.nspname = c.schema_name
    JOIN tenantry.schema s ON s.schemaid = p.oid
    JOIN tenantry.node n USING (nodeid)
    WHERE n.groupid <> 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schema "%" is on node "%", and nothing can be made in it on the coordinator',
            made.schema_name, made.name
            USING ERRCODE = 'serialization_failure',
            DETAIL = 'It was created or moved just now, and whoever sent this had not heard of it.', HINT = 'Try again.';
    END IF;
END
$$;
DROP EVENT TRIGGER IF EXISTS tenantry_empty_namespaces;
CREATE EVENT TRIGGER tenantry_empty_namespaces ON ddl_command_end EXECUTE FUNCTION tenantry.guard_empty_namespaces();

DROP EVENT TRIGGER IF EXISTS tenantry_dropped_schemas;
CREATE EVENT TRIGGER tenantry_dropped_schemas ON sql_drop
    WHEN TAG IN ('DROP SCHEMA', 'DROP OWNED', 'DROP EXTENSION') EXECUTE FUNCTION tenantry.note_dropped_schemas();
DROP EVENT TRIGGER IF EXISTS tenantry_altered_schemas;
CREATE EVENT TRIGGER tenantry_altered_schemas ON ddl_command_end
    WHEN TAG IN ('ALTER SCHEMA') EXECUTE FUNCTION tenantry.note_altered_schemas();

-- A net below the event triggers, for the control plane: rows whose namespace went while triggers were off.
CREATE OR REPLACE FUNCTION tenantry.sweep() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    WITH gone AS (
        DELETE FROM tenantry.schema s
        WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.oid = s.schemaid) RETURNING schemaid)
    INSERT INTO tenantry.dropped_schema (schemaid) SELECT schemaid FROM gone;
    IF FOUND THEN
        PERFORM tenantry.catalog_changed();
    END IF;
    DELETE FROM tenantry.dropped_schema WHERE dropped_at < clock_timestamp() - interval '1 day';
END
$$;
REVOKE ALL ON FUNCTION tenantry.sweep() FROM PUBLIC;
