#!/usr/bin/env bash
# Writes src/main/resources/dev/tenantry/sql/pg-names.txt from real servers: the union of what each one calls its own.
#   src/test/vectors/pg-names.sh postgresql://.../postgres postgresql://.../postgres > pg-names.txt
# One line a name, then its codes:
#   R T C U  keyword: reserved, type or function name, column name, unreserved (of the first server that has it)
#   f        function of pg_catalog that changes nothing, may run twice, and answers the same in any session
#   F        function of pg_catalog for which that is not known
#   t        type of pg_catalog
#   r        relation of pg_catalog
#   g        relation of pg_catalog about what all nodes share, so that one node's answer is complete
#   i        relation of information_schema about what all nodes share
set -euo pipefail

query() {
    cat <<'SQL'
WITH harmless(name) AS (VALUES ('clock_timestamp'), ('current_query'), ('gen_random_uuid'), ('uuidv4'), ('uuidv7'),
    ('random'), ('random_normal'), ('array_sample'), ('array_shuffle'), ('timeofday'), ('pg_relation_size'),
    ('pg_table_size'), ('pg_indexes_size'), ('pg_total_relation_size'), ('pg_database_size'), ('pg_tablespace_size'),
    ('pg_is_in_recovery'), ('pg_is_wal_replay_paused'), ('pg_partition_ancestors'), ('pg_partition_tree'),
    ('pg_sequence_last_value'), ('pg_get_sequence_data'), ('pg_jit_available'), ('pg_collation_actual_version'),
    ('pg_database_collation_actual_version'), ('pg_control_system'), ('pg_control_init'), ('pg_current_wal_lsn'),
    ('pg_show_all_file_settings'), ('amvalidate')),
shared(name) AS (VALUES ('pg_namespace'), ('pg_roles'), ('pg_user'), ('pg_shadow'), ('pg_group'), ('pg_authid'),
    ('pg_auth_members'), ('pg_database'), ('pg_db_role_setting'), ('pg_settings'), ('pg_tablespace'),
    ('pg_timezone_names'), ('pg_timezone_abbrevs'), ('pg_available_extensions'),
    ('pg_available_extension_versions'), ('pg_extension'), ('pg_language'), ('pg_am'), ('pg_config')),
information(name) AS (VALUES ('schemata'), ('enabled_roles'), ('applicable_roles'), ('administrable_role_authorizations'),
    ('information_schema_catalog_name'), ('sql_features'), ('sql_implementation_info'), ('sql_parts'), ('sql_sizing'))
SELECT word, catcode::text FROM pg_get_keywords()
UNION ALL
SELECT proname::text, CASE WHEN bool_and(p.provolatile <> 'v' OR proname IN (SELECT name FROM harmless))
        AND proname NOT IN ('pg_current_xact_id', 'txid_current', 'pg_export_snapshot', 'currval', 'lastval',
            'query_to_xml', 'table_to_xml', 'table_to_xmlschema', 'table_to_xml_and_xmlschema')
        AND proname !~ '^(schema|database|cursor|query)_to_xml' THEN 'f' ELSE 'F' END
    FROM pg_proc p WHERE pronamespace = 'pg_catalog'::regnamespace GROUP BY proname
UNION ALL
SELECT typname::text, 't' FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname !~ '^pg_toast_'
UNION ALL
SELECT relname::text, CASE WHEN relname IN (SELECT name FROM shared) THEN 'g' ELSE 'r' END
    FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
UNION ALL
SELECT relname::text, 'i' FROM pg_class
    WHERE relnamespace = 'information_schema'::regnamespace AND relname IN (SELECT name FROM information)
SQL
}

for url in "$@"; do
    psql "$url" -XAtF ' ' -v ON_ERROR_STOP=1 -c "$(query)"
done | LC_ALL=C awk '
    { if ($2 ~ /[RTCU]/) { if (!($1 in keyword)) keyword[$1] = $2 } else codes[$1 " " $2] = 1; names[$1] = 1 }
    END {
        for (name in names) {
            line = (name in keyword) ? keyword[name] : ""
            if ((name " F") in codes) line = line "F"; else if ((name " f") in codes) line = line "f"
            if ((name " t") in codes) line = line "t"
            if ((name " g") in codes) line = line "g"; else if ((name " r") in codes) line = line "r"
            if ((name " i") in codes) line = line "i"
            print name, line
        }
    }' | LC_ALL=C sort
