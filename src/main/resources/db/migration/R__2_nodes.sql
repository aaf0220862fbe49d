-- Nodes: added, changed and removed in SQL, by dblink, in the caller's transaction.
--
-- The work on a new node commits first and only then the row that makes it a node: whatever dies between leaves a
-- server that is prepared but not used, and every step may be repeated. Only a superuser may call these functions.

-- Has changes of nodes follow one another, until the end of the transaction. Schemas can be made meanwhile. Not an
-- advisory lock: any role could take that.
CREATE OR REPLACE FUNCTION tenantry.lock_nodes() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE tenantry.node IN SHARE ROW EXCLUSIVE MODE;
END
$$;
REVOKE ALL ON FUNCTION tenantry.lock_nodes() FROM PUBLIC;

-- As whom we sign in at every node, and how the connection is encrypted (libpq's sslmode): kept where PostgreSQL keeps
-- such things, the password readable for superusers only.
DROP FUNCTION IF EXISTS tenantry.set_node_login(text, text);
CREATE OR REPLACE FUNCTION tenantry.set_node_login(user_name text, password text, tls_mode text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
DECLARE
    login CONSTANT text[] := ARRAY['user=' || user_name, 'password=' || password];
    verified CONSTANT boolean := tls_mode LIKE 'verify-%';
    -- Root certificates would have to lie on the coordinator's disk. A sign-in that is bound to the channel proves as
    -- well that nobody sits between: only the server itself knows the role's verifier and ends this very channel.
    encryption CONSTANT text[] := CASE WHEN verified THEN ARRAY['sslmode=require', 'channel_binding=require']
                                       ELSE ARRAY['sslmode=' || tls_mode] END;
BEGIN
    IF EXISTS (
        SELECT FROM pg_foreign_server s JOIN pg_user_mappings m ON m.srvid = s.oid
        WHERE s.srvname = 'tenantry_node' AND s.srvoptions = encryption
          AND m.umoptions = login AND m.usename = current_user
    ) THEN
        RETURN;
    END IF;
    DROP SERVER IF EXISTS tenantry_node CASCADE;
    EXECUTE format('CREATE SERVER tenantry_node FOREIGN DATA WRAPPER dblink_fdw OPTIONS (%s)', (
        SELECT string_agg(format('%I %L', split_part(o, '=', 1), split_part(o, '=', 2)), ', ') FROM unnest(encryption) o));
    EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER tenantry_node OPTIONS (user %L, password %L)',
                   user_name, password);
END
$$;
REVOKE ALL ON FUNCTION tenantry.set_node_login(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.node_connection_string(host text, port integer) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT string_agg(keyword || '=''' || replace(replace(value, chr(92), repeat(chr(92), 2)), '''', chr(92) || '''')
                      || '''', ' ')
    FROM (VALUES
        ('host', host), ('port', port::text), ('dbname', current_database()::text), ('connect_timeout', '2'),
        ('keepalives_idle', '10'), ('tcp_user_timeout', '10000'), ('application_name', 'tenantry views'),
        ('client_encoding', 'UTF8'),
        ('options', '-c search_path=pg_catalog -c tenantry.schema_ddl=on -c statement_timeout=60s '
                 || '-c jit=off -c enable_nestloop=off -c enable_mergejoin=off -c idle_session_timeout=60s '
                 || '-c standard_conforming_strings=on -c datestyle=ISO')
        UNION ALL
        SELECT split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)
        FROM pg_foreign_server s JOIN pg_user_mapping m ON m.umserver = s.oid, unnest(s.srvoptions || m.umoptions) o
        WHERE s.srvname = 'tenantry_node'
    ) AS setting (keyword, value)
$$;
REVOKE ALL ON FUNCTION tenantry.node_connection_string(text, integer) FROM PUBLIC;

-- Opens a connection under a name; one left over from a cancelled statement is closed first.
CREATE OR REPLACE FUNCTION tenantry.open_node(connection text, host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenantry.close_node(connection);
    PERFORM tenantry.dblink_connect(connection, tenantry.node_connection_string(host, port));
END
$$;
REVOKE ALL ON FUNCTION tenantry.open_node(text, text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.close_node(connection text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF connection = ANY (tenantry.dblink_get_connections()) THEN
        PERFORM tenantry.dblink_disconnect(connection);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.close_node(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.node_script(script_name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT script FROM tenantry.node_script WHERE name = script_name $$;
REVOKE ALL ON FUNCTION tenantry.node_script(text) FROM PUBLIC;

-- Says what a server lacks, all of it at once.
CREATE OR REPLACE FUNCTION tenantry.require_fit(connection text, host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problems text;
    details text;
    hints text;
    foreign_cluster text;
    own_cluster text;
BEGIN
    SELECT string_agg(problem, ', '), string_agg(detail, ' '), string_agg(hint, ' ')
    INTO problems, details, hints
    FROM tenantry.dblink(connection, tenantry.node_script('check')) AS lack (problem text, detail text, hint text);
    IF problems IS NOT NULL THEN
        RAISE EXCEPTION 'server %:% cannot be a node: %', host, port, problems
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = details, HINT = hints;
    END IF;
    -- The mark of a node is a comment that names its cluster; see tenantry.install_on().
    SELECT mark INTO foreign_cluster FROM tenantry.dblink(connection,
        $q$SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace
           WHERE nspname = 'tenantry'$q$) AS found (mark text);
    SELECT 'node of cluster ' || cluster_id INTO own_cluster FROM tenantry.cluster;
    IF foreign_cluster IS NOT NULL AND foreign_cluster <> own_cluster AND foreign_cluster LIKE 'node of cluster %' THEN
        RAISE EXCEPTION 'server %:% belongs to another cluster', host, port
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Schema "tenantry" there is marked "%s".', foreign_cluster),
            HINT = 'If that cluster is no more, run SET tenantry.schema_ddl = ''on'' and then '
                   'DROP SCHEMA tenantry CASCADE on that server.';
    END IF;
    IF (SELECT is_coordinator FROM tenantry.dblink(connection,
        $q$SELECT pg_catalog.to_regclass('tenantry.cluster') IS NOT NULL$q$) AS found (is_coordinator boolean)) THEN
        RAISE EXCEPTION 'server %:% is the coordinator of a cluster', host, port
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Its database holds a catalog in schema "tenantry".',
            HINT = 'Use another server, or another database.';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.require_fit(text, text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.install_mark() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT format('SET LOCAL client_min_messages = warning; COMMENT ON SCHEMA tenantry IS %L',
                  'node of cluster ' || cluster_id) FROM tenantry.cluster
$$;
REVOKE ALL ON FUNCTION tenantry.install_mark() FROM PUBLIC;

-- Statements that give another node of that version our roles; each may be repeated. Those that a move signs in as are
-- its own.
CREATE OR REPLACE FUNCTION tenantry.role_statements(target_version integer) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_moves CONSTANT text := '^tenantry_[0-9a-z]+_move_[0-9]+_owner_';
BEGIN
    RETURN QUERY
    SELECT format($q$DO $do$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = %L) THEN
                    CREATE ROLE %I; END IF; END $do$ $q$, rolname, rolname)
        || format('; ALTER ROLE %I WITH %s %s %s %s %s %s %s CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L', rolname,
               CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END,
               CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
               CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END,
               CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
               CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
               CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
               CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END,
               rolconnlimit, rolpassword, coalesce(rolvaliduntil::text, 'infinity'))
    FROM pg_authid WHERE rolname !~ '^pg_' AND rolname !~ of_moves ORDER BY oid;

    -- Options of memberships came with PostgreSQL 16; read as jsonb, because the columns are not there before.
    RETURN QUERY
    SELECT format('GRANT %I TO %I', r.rolname, u.rolname)
        || CASE WHEN target_version >= 160000 AND (to_jsonb(m) ? 'inherit_option')
                THEN format(' WITH ADMIN %s, INHERIT %s, SET %s', upper(to_jsonb(m) ->> 'admin_option'),
                            upper(to_jsonb(m) ->> 'inherit_option'), upper(to_jsonb(m) ->> 'set_option'))
                WHEN m.admin_option THEN ' WITH ADMIN OPTION' ELSE '' END
    FROM pg_auth_members m JOIN pg_authid r ON r.oid = m.roleid JOIN pg_authid u ON u.oid = m.member
    WHERE u.rolname !~ '^pg_' AND u.rolname !~ of_moves;

    -- Values of list settings are kept as their quoted text, which only FROM CURRENT stores as it is.
    RETURN QUERY
    SELECT CASE WHEN s.name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries',
                                'session_preload_libraries')
                THEN format('SELECT pg_catalog.set_config(%L, %L, true); %s SET %s FROM CURRENT; RESET %s',
                            s.name, s.value, s.target, s.name, s.name)
                ELSE format('%s SET %s TO %L', s.target, s.name, s.value) END
    FROM (
        SELECT CASE WHEN d.setrole = 0 AND d.setdatabase = 0 THEN 'ALTER ROLE ALL'
                    WHEN d.setrole = 0 THEN format('ALTER DATABASE %I', current_database())
                    ELSE format('ALTER ROLE %I', r.rolname)
                      || CASE WHEN d.setdatabase = 0 THEN '' ELSE format(' IN DATABASE %I', current_database()) END
               END AS target,
               (SELECT string_agg(quote_ident(p), '.') FROM unnest(string_to_array(split_part(c, '=', 1), '.')) p)
                   AS name,
               substr(c, strpos(c, '=') + 1) AS value
        FROM pg_db_role_setting d LEFT JOIN pg_authid r ON r.oid = d.setrole, unnest(d.setconfig) c
        WHERE d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
          AND (r.rolname ~ of_moves) IS NOT TRUE
    ) AS s;

    RETURN QUERY
    SELECT format('ALTER DATABASE %I OWNER TO %I', d.datname, r.rolname)
    FROM pg_database d JOIN pg_authid r ON r.oid = d.datdba WHERE d.datname = current_database();
    RETURN QUERY
    SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', d.datname)
    FROM pg_database d WHERE d.datname = current_database() AND d.datacl IS NOT NULL;
    RETURN QUERY
    SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, d.datname,
                  CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END,
                  CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_database d, aclexplode(d.datacl) a LEFT JOIN pg_authid r ON r.oid = a.grantee
    WHERE d.datname = current_database()
      AND (a.grantee = 0 OR r.rolname !~ of_moves);
END
$$;
REVOKE ALL ON FUNCTION tenantry.role_statements(integer) FROM PUBLIC;

-- Statements that give another node of that version what our roles may do with settings, and with what others make, and
-- what is noted of them; each may be repeated. Privileges by default that name a schema are that schema's own.
CREATE OR REPLACE FUNCTION tenantry.grant_statements(target_version integer) RETURNS SETOF text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    not_ours CONSTANT text := '^pg_|^tenantry_[0-9a-z]+_move_[0-9]+_owner_';
BEGIN
    RETURN QUERY
    SELECT format('COMMENT ON ROLE %I IS %L', r.rolname, d.description)
    FROM pg_shdescription d JOIN pg_authid r ON r.oid = d.objoid
    WHERE d.classoid = 'pg_authid'::regclass AND r.rolname !~ not_ours;

    -- A setting that the other version does not have can't be granted there.
    RETURN QUERY
    SELECT format('DO %L', format('BEGIN IF %1$L LIKE ''%%.%%'' OR EXISTS (SELECT FROM pg_catalog.pg_settings '
                                  'WHERE pg_catalog.lower(name) = %1$L) THEN GRANT %2$s ON PARAMETER %3$s TO %4$s%5$s; '
                                  'END IF; END', p.parname, a.privilege_type,
               (SELECT string_agg(quote_ident(part), '.') FROM unnest(string_to_array(p.parname, '.')) part),
               CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END,
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END))
    FROM pg_parameter_acl p, aclexplode(p.paracl) a LEFT JOIN pg_authid r ON r.oid = a.grantee
    WHERE a.grantee = 0 OR NOT r.rolsuper AND r.rolname !~ not_ours;

    -- They stand in the place of what PostgreSQL grants by itself, to the owner and to all.
    RETURN QUERY
    WITH defaults AS (
        SELECT r.rolname, d.defaclacl, d.defaclobjtype, CASE d.defaclobjtype
               WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
               WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS objects
        FROM pg_default_acl d JOIN pg_authid r ON r.oid = d.defaclrole
        WHERE d.defaclnamespace = 0 AND r.rolname !~ not_ours
          AND (d.defaclobjtype <> 'L' OR target_version >= 180000)
    )
    SELECT s.statement FROM (
        SELECT 1 AS place, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM PUBLIC, %I',
                                  d.rolname, d.objects, d.rolname) AS statement
        FROM defaults d
        UNION ALL
        SELECT 2, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s ON %s TO %s%s', d.rolname, a.privilege_type,
                         d.objects, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END,
                         CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
        FROM defaults d, aclexplode(d.defaclacl) a LEFT JOIN pg_authid g ON g.oid = a.grantee
        WHERE (a.grantee = 0 OR g.rolname !~ not_ours)
          AND (a.privilege_type <> 'MAINTAIN' OR target_version >= 170000)
    ) AS s ORDER BY s.place;
END
$$;
REVOKE ALL ON FUNCTION tenantry.grant_statements(integer) FROM PUBLIC;

-- Extensions of ours that the node has not got; an extension the server does not offer is an error.
CREATE OR REPLACE FUNCTION tenantry.copy_extensions(connection text, host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing text;
    wanted record;
BEGIN
    SELECT string_agg(format('"%s"', e.extname), ', ') INTO missing FROM pg_extension e
    WHERE e.extname NOT IN ('plpgsql', 'dblink') AND e.extname NOT IN (
        SELECT name FROM tenantry.dblink(connection, 'SELECT name FROM pg_catalog.pg_available_extensions')
            AS available (name name));
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'server %:% cannot be a node: extension % is not available there', host, port, missing
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Extensions of the coordinator exist on every node.',
            HINT = 'Install the package of the extension on that server.';
    END IF;
    FOR wanted IN
        SELECT e.extname, n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname NOT IN ('plpgsql', 'dblink') ORDER BY e.oid
    LOOP
        IF wanted.nspname NOT IN ('public', 'pg_catalog') THEN
            PERFORM tenantry.dblink_exec(connection, format('CREATE SCHEMA IF NOT EXISTS %I', wanted.nspname));
        END IF;
        PERFORM tenantry.dblink_exec(connection, format('CREATE EXTENSION IF NOT EXISTS %I %s CASCADE', wanted.extname,
            CASE WHEN wanted.nspname = 'pg_catalog' THEN '' ELSE format('SCHEMA %I', wanted.nspname) END));
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION tenantry.copy_extensions(text, text, integer) FROM PUBLIC;

-- Installs and copies, in one transaction of the node, which is committed at the end.
CREATE OR REPLACE FUNCTION tenantry.prepare_node(connection text, host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    statement text;
    target_version integer;
BEGIN
    SELECT number INTO target_version FROM tenantry.dblink(connection, 'SHOW server_version_num') AS v (number integer);
    PERFORM tenantry.dblink_exec(connection, 'BEGIN');
    PERFORM tenantry.dblink_exec(connection, 'SET LOCAL client_min_messages = warning');
    PERFORM tenantry.dblink_exec(connection, tenantry.node_script('install'));
    PERFORM tenantry.dblink_exec(connection, tenantry.install_mark());
    FOR statement IN SELECT tenantry.role_statements(target_version) LOOP
        PERFORM tenantry.dblink_exec(connection, 'DO ' || quote_literal('BEGIN EXECUTE '
            || quote_literal(statement) || '; END'));
    END LOOP;
    PERFORM tenantry.copy_extensions(connection, host, port);
    FOR statement IN SELECT tenantry.grant_statements(target_version) LOOP
        PERFORM tenantry.dblink_exec(connection, statement);
    END LOOP;
    PERFORM tenantry.dblink_exec(connection, 'COMMIT');
END
$$;
REVOKE ALL ON FUNCTION tenantry.prepare_node(text, text, integer) FROM PUBLIC;

-- What a server can do without, but not all moves of schemas.
CREATE OR REPLACE FUNCTION tenantry.move_settings() RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT $q$
        SELECT pg_catalog.string_agg(s.name || ' is ' || s.setting, ', ' ORDER BY s.name),
               pg_catalog.string_agg('ALTER SYSTEM SET ' || s.name || ' = ' || CASE s.name WHEN 'wal_level' THEN 'logical'
                                     ELSE s.boot_val END, '; ' ORDER BY s.name)
        FROM pg_catalog.pg_settings s
        WHERE s.name = 'wal_level' AND s.setting <> 'logical'
           OR s.name IN ('max_wal_senders', 'max_replication_slots', 'max_logical_replication_workers',
                         'max_worker_processes') AND s.setting = '0'$q$
$$;
REVOKE ALL ON FUNCTION tenantry.move_settings() FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.warn_of_settings(server text, lacking text, remedy text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF lacking IS NOT NULL THEN
        RAISE WARNING 'schemas on % cannot be moved while they are written to: %', server, lacking
            USING DETAIL = 'Moves with shard_transfer_mode block_writes are possible, and make writers wait.',
            HINT = format('Run %s, and restart the server.', remedy);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.warn_of_settings(text, text, text) FROM PUBLIC;

-- The same of the coordinator, where it is meant to hold schemas.
CREATE OR REPLACE FUNCTION tenantry.warn_of_coordinator() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    lacking text;
    remedy text;
BEGIN
    IF EXISTS (SELECT FROM tenantry.node n WHERE n.groupid = 0 AND n.shouldhaveshards)
       OR EXISTS (SELECT FROM tenantry.schema s JOIN tenantry.node n USING (nodeid) WHERE n.groupid = 0)
    THEN
        EXECUTE tenantry.move_settings() INTO lacking, remedy;
        PERFORM tenantry.warn_of_settings('the coordinator', lacking, remedy);
    END IF;
END
$$;
REVOKE ALL ON FUNCTION tenantry.warn_of_coordinator() FROM PUBLIC;

-- Makes a server what a node must be, or says why it can't be.
CREATE OR REPLACE FUNCTION tenantry.prepare_server(host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenantry.open_new_node(host, port);
    BEGIN
        PERFORM tenantry.require_fit('tenantry_new_node', host, port);
        PERFORM tenantry.prepare_node('tenantry_new_node', host, port);
        PERFORM tenantry.warn_of_settings(format('%s:%s', host, port), s.lacking, s.remedy)
        FROM tenantry.dblink('tenantry_new_node', tenantry.move_settings()) AS s (lacking text, remedy text);
    EXCEPTION WHEN OTHERS OR query_canceled THEN
        -- Or what was begun there would keep its locks as long as the caller's session.
        PERFORM tenantry.close_node('tenantry_new_node');
        RAISE;
    END;
    PERFORM tenantry.close_node('tenantry_new_node');
END
$$;
REVOKE ALL ON FUNCTION tenantry.prepare_server(text, integer) FROM PUBLIC;

-- The coordinator's own part: what every node gets, and its row. Called by the control plane at every start.
CREATE OR REPLACE FUNCTION tenantry.prepare_coordinator(host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM tenantry.lock_nodes();
    EXECUTE tenantry.node_script('install');
    EXECUTE tenantry.install_mark();
    PERFORM tenantry.citus_set_coordinator_host(host, port);
END
$$;
REVOKE ALL ON FUNCTION tenantry.prepare_coordinator(text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_set_coordinator_host(
    host text, port integer DEFAULT current_setting('port')::integer,
    node_role tenantry.noderole DEFAULT 'primary', node_cluster name DEFAULT 'default') RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE tenantry.node SET nodename = host, nodeport = port, changed = pg_current_xact_id()
    WHERE groupid = 0 AND (nodename, nodeport) IS DISTINCT FROM (host, port);
    INSERT INTO tenantry.node (groupid, nodename, nodeport, name, hasmetadata, metadatasynced, noderole, nodecluster)
    SELECT 0, host, port, 'coordinator', true, true, node_role, node_cluster
    WHERE NOT EXISTS (SELECT FROM tenantry.node WHERE groupid = 0);
    PERFORM tenantry.catalog_changed();
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_set_coordinator_host(text, integer, tenantry.noderole, name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_add_node(
    nodename text, nodeport integer, groupid integer DEFAULT -1,
    noderole tenantry.noderole DEFAULT 'primary', nodecluster name DEFAULT 'default') RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    known tenantry.node;
    new_group integer;
    new_id integer;
BEGIN
    PERFORM tenantry.lock_nodes();
    SELECT * INTO known FROM tenantry.node n
    WHERE n.nodename = citus_add_node.nodename AND n.nodeport = citus_add_node.nodeport;
    IF FOUND THEN
        RETURN known.nodeid;
    END IF;
    IF citus_add_node.noderole <> 'primary' THEN
        RAISE EXCEPTION 'only primary nodes can be added' USING ERRCODE = 'feature_not_supported',
            HINT = 'Leave out noderole.';
    END IF;
    IF citus_add_node.nodecluster <> 'default' THEN
        RAISE EXCEPTION 'primaries must be added to the default cluster' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF citus_add_node.groupid = 0 THEN
        PERFORM tenantry.citus_set_coordinator_host(citus_add_node.nodename, citus_add_node.nodeport);
        RETURN (SELECT n.nodeid FROM tenantry.node n WHERE n.groupid = 0);
    END IF;
    IF EXISTS (SELECT FROM tenantry.node n WHERE n.groupid = citus_add_node.groupid) THEN
        RAISE EXCEPTION 'group % already has a primary node', citus_add_node.groupid
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM tenantry.prepare_server(citus_add_node.nodename, citus_add_node.nodeport);
    new_group := CASE WHEN citus_add_node.groupid > 0 THEN citus_add_node.groupid
                      ELSE tenantry.next_number('tenantry.pg_dist_groupid_seq') END;
    INSERT INTO tenantry.node (nodeid, groupid, nodename, nodeport, name, hasmetadata, metadatasynced)
    VALUES (tenantry.next_number('tenantry.pg_dist_node_nodeid_seq'), new_group,
            citus_add_node.nodename, citus_add_node.nodeport, 'worker' || new_group, true, true)
    RETURNING nodeid INTO new_id;
    -- A cluster that was the coordinator alone stops giving it new schemas, unless somebody has decided about it.
    UPDATE tenantry.node n SET shouldhaveshards = false, changed = pg_current_xact_id()
    WHERE n.groupid = 0 AND n.shouldhaveshards AND NOT n.placement_chosen;
    IF FOUND AND EXISTS (
        SELECT FROM tenantry.schema s JOIN tenantry.node n USING (nodeid) WHERE n.groupid = 0
    ) THEN
        RAISE NOTICE 'schemas are still on the coordinator after adding the new node'
            USING HINT = format('New schemas go to the new node. Use SELECT rebalance_table_shards(); to balance the '
                                'workers and the coordinator, or SELECT citus_drain_node(%L, %s); to permanently move '
                                'schemas away from the coordinator.',
                                (SELECT n.nodename FROM tenantry.node n WHERE n.groupid = 0),
                                (SELECT n.nodeport FROM tenantry.node n WHERE n.groupid = 0));
    END IF;
    PERFORM tenantry.catalog_changed();
    RETURN new_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_add_node(text, integer, integer, tenantry.noderole, name) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.open_new_node(host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    reason text;
BEGIN
    PERFORM tenantry.open_node('tenantry_new_node', host, port);
EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
    GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
    RAISE EXCEPTION 'could not connect to %:%', host, port
        USING ERRCODE = 'sqlclient_unable_to_establish_sqlconnection', DETAIL = reason,
        HINT = format('The coordinator must reach the server, which must have a database "%s" and the role and password '
                      'that the coordinator''s address names.', current_database());
END
$$;
REVOKE ALL ON FUNCTION tenantry.open_new_node(text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.existing_node(host text, port integer) RETURNS tenantry.node
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node;
BEGIN
    PERFORM tenantry.lock_nodes();
    SELECT * INTO known FROM tenantry.node n WHERE n.nodename = host AND n.nodeport = port FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node at "%:%" does not exist', host, port USING ERRCODE = 'undefined_object';
    END IF;
    RETURN known;
END
$$;
REVOKE ALL ON FUNCTION tenantry.existing_node(text, integer) FROM PUBLIC;

-- Waits for the transactions that are creating schemas on the node, and has others wait for the end of this one. To be
-- called before nodes are locked, which must not take as long as those: a node may need a new address meanwhile.
CREATE OR REPLACE FUNCTION tenantry.close_home(host text, port integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    node_id CONSTANT integer := (SELECT n.nodeid FROM tenantry.node n WHERE n.nodename = host AND n.nodeport = port);
BEGIN
    PERFORM FROM tenantry.schema_home h WHERE h.nodeid = node_id FOR UPDATE; -- also those that named the node
    UPDATE tenantry.schema_home h SET closed_at = clock_timestamp() WHERE h.nodeid = node_id;
END
$$;
REVOKE ALL ON FUNCTION tenantry.close_home(text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_remove_node(nodename text, nodeport integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node;
    held text;
    others bigint;
BEGIN
    PERFORM tenantry.close_home(nodename, nodeport);
    known := tenantry.existing_node(nodename, nodeport);
    IF known.groupid = 0 THEN
        RAISE EXCEPTION 'cannot remove the coordinator' USING ERRCODE = 'object_in_use';
    END IF;
    SELECT min(n.nspname), count(*) - 1 INTO held, others
    FROM tenantry.schema s JOIN pg_namespace n ON n.oid = s.schemaid WHERE s.nodeid = known.nodeid;
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'cannot remove the node %:% because it holds schema "%"', nodename, nodeport, held
            USING ERRCODE = 'object_in_use',
            DETAIL = format('Schemas it holds: %s.', others + 1),
            HINT = format('Have them moved by SELECT citus_drain_node(%L, %s), or drop them.', nodename, nodeport);
    END IF;
    SELECT min(m.schema_name::text) INTO held FROM tenantry.move m
    WHERE m.target_nodeid = known.nodeid AND m.finished_at IS NULL AND m.switched_at IS NULL
      AND NOT m.cancel_requested AND m.phase <> 'undoing';
    IF held IS NOT NULL THEN
        RAISE EXCEPTION 'cannot remove the node %:% because schema "%" is on its way to it', nodename, nodeport, held
            USING ERRCODE = 'object_in_use',
            HINT = 'Wait until its move has ended, or cancel it; tenantry_moves shows how far it is.';
    END IF;
    -- A node that answers has a moment to remove the copies of cancelled moves; on one that is gone there is nothing to.
    FOR i IN 1 .. 20 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM tenantry.move m WHERE m.target_nodeid = known.nodeid
                              AND m.finished_at IS NULL AND m.switched_at IS NULL);
        PERFORM pg_sleep(0.1);
    END LOOP;
    UPDATE tenantry.move m SET old_schema = NULL WHERE m.source_nodeid = known.nodeid AND m.finished_at IS NOT NULL;
    -- Rows of schemas that went while event triggers were off.
    DELETE FROM tenantry.schema s WHERE s.nodeid = known.nodeid;
    DELETE FROM tenantry.node n WHERE n.nodeid = known.nodeid;
    IF NOT EXISTS (SELECT FROM tenantry.node n WHERE n.groupid <> 0) THEN
        UPDATE tenantry.node n SET shouldhaveshards = true, changed = pg_current_xact_id()
        WHERE NOT n.placement_chosen;
    END IF;
    PERFORM tenantry.catalog_changed();
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_remove_node(text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION tenantry.citus_set_node_property(
    nodename text, nodeport integer, property text, value boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node;
BEGIN
    IF property = 'shouldhaveshards' AND NOT value THEN
        PERFORM tenantry.close_home(nodename, nodeport);
    END IF;
    known := tenantry.existing_node(nodename, nodeport);
    IF property IS DISTINCT FROM 'shouldhaveshards' THEN
        RAISE EXCEPTION 'only the ''shouldhaveshards'' property can be set using this function'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF value IS NULL THEN
        RAISE EXCEPTION 'value cannot be NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    UPDATE tenantry.node n SET shouldhaveshards = value, placement_chosen = true, changed = pg_current_xact_id()
    WHERE n.nodeid = known.nodeid;
    PERFORM tenantry.catalog_changed();
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_set_node_property(text, integer, text, boolean) FROM PUBLIC;

-- The server must already be there: the same node at a new address, not another node.
CREATE OR REPLACE FUNCTION tenantry.citus_update_node(
    node_id integer, new_node_name text, new_node_port integer, force boolean DEFAULT false,
    lock_cooldown integer DEFAULT 10000) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    known tenantry.node;
    mark text;
BEGIN
    PERFORM tenantry.lock_nodes();
    SELECT * INTO known FROM tenantry.node n WHERE n.nodeid = node_id FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'node % not found', node_id USING ERRCODE = 'no_data_found';
    END IF;
    IF known.nodename = new_node_name AND known.nodeport = new_node_port THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM tenantry.node n WHERE n.nodename = new_node_name AND n.nodeport = new_node_port) THEN
        RAISE EXCEPTION 'there is already another node with the specified hostname and port'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF known.groupid <> 0 THEN
        PERFORM tenantry.open_new_node(new_node_name, new_node_port);
        SELECT comment INTO mark FROM tenantry.dblink('tenantry_new_node',
            $q$SELECT pg_catalog.obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace
               WHERE nspname = 'tenantry'$q$) AS found (comment text);
        PERFORM tenantry.close_node('tenantry_new_node');
        IF mark IS DISTINCT FROM (SELECT 'node of cluster ' || cluster_id FROM tenantry.cluster) THEN
            RAISE EXCEPTION 'server %:% is not a node of this cluster', new_node_name, new_node_port
                USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = format('Use citus_add_node(%L, %s) to add another node.', new_node_name, new_node_port);
        END IF;
    END IF;
    UPDATE tenantry.node n
    SET nodename = new_node_name, nodeport = new_node_port, changed = pg_current_xact_id() WHERE n.nodeid = node_id;
    PERFORM tenantry.catalog_changed();
END
$$;
REVOKE ALL ON FUNCTION tenantry.citus_update_node(integer, text, integer, boolean, integer) FROM PUBLIC;
