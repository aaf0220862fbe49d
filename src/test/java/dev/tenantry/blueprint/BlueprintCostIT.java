package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.PostgresNode;
import io.vertx.sqlclient.Row;
import org.junit.jupiter.api.Test;

/** What reading a schema costs the node: counted in rows of its catalogs that it reads, not in time. */
class BlueprintCostIT {

    /** By the catalogs' names: the view of the counters would read all of pg_class itself. */
    private static final String COUNTERS = """
            SELECT sum(pg_stat_get_tuples_returned(r) + pg_stat_get_tuples_fetched(r))::bigint,
                   sum(pg_stat_get_numscans(r))::bigint
            FROM unnest('{pg_class, pg_attribute, pg_depend, pg_type, pg_proc, pg_index, pg_constraint, pg_trigger,
                pg_rewrite, pg_attrdef, pg_description, pg_seclabel, pg_sequence, pg_inherits, pg_namespace, pg_enum,
                pg_policy, pg_statistic_ext, pg_default_acl, pg_publication_rel, pg_publication_namespace, pg_cast,
                pg_range, pg_aggregate, pg_operator, pg_opclass, pg_opfamily, pg_amop, pg_amproc, pg_collation,
                pg_conversion, pg_ts_config, pg_ts_dict, pg_ts_parser, pg_ts_template,
                pg_subscription_rel}'::regclass[]) r
            """;

    /** As a tenant has them, with all that needs catalogs other than pg_class. */
    private static final String TENANT = """
            CREATE SCHEMA %1$s;
            CREATE TYPE %1$s.mood AS ENUM ('a', 'b');
            CREATE TABLE %1$s.t (id bigserial PRIMARY KEY, m %1$s.mood DEFAULT 'a', n int CHECK (n > 0), x text UNIQUE);
            CREATE TABLE %1$s.u (id int GENERATED ALWAYS AS IDENTITY, t bigint REFERENCES %1$s.t);
            CREATE FUNCTION %1$s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER g AFTER INSERT ON %1$s.t FOR EACH ROW EXECUTE FUNCTION %1$s.f();
            CREATE VIEW %1$s.v AS SELECT * FROM %1$s.t JOIN %1$s.u USING (id);
            COMMENT ON TABLE %1$s.t IS 'about t';
            """;

    private static final int OTHERS = 2_000;
    private static final int OTHERS_AT_ONCE = 200;

    @Test
    void followsTheSchemaAndNotTheNode() {
        try (BlueprintNode node = new BlueprintNode(PostgresNode.start("cost"))) {
            // It looks through the catalogs too.
            node.run("tenantry", "ALTER SYSTEM SET autovacuum = off");
            node.run("tenantry", "SELECT pg_reload_conf()");
            String database = node.database();
            node.run(database, TENANT.formatted("probe"));
            String description = node.read(database, "probe").description();
            Cost alone = cost(node, database);
            for (int i = 0; i < OTHERS / OTHERS_AT_ONCE; i++) {
                StringBuilder others = new StringBuilder();
                for (int j = 0; j < OTHERS_AT_ONCE; j++) {
                    others.append(TENANT.formatted("other_" + i + "_" + j));
                }
                node.run(database, others.toString());
            }

            Cost among = cost(node, database);

            assertThat(node.read(database, "probe").description()).isEqualTo(description);
            assertThat(alone.scans()).as("whole catalogs read").isZero();
            assertThat(among.scans()).as("whole catalogs read").isZero();
            assertThat(among.rows())
                    .as("rows read with %d other schemas, and without: %d", OTHERS, alone.rows())
                    .isBetween(1L, alone.rows() + alone.rows() / 10);
        }
    }

    private record Cost(long rows, long scans) {}

    private static Cost cost(BlueprintNode node, String database) {
        Row before = counters(node, database);
        node.with(database, connection -> {
            BlueprintReader.read(connection, "probe");
            return connection.query("SELECT pg_stat_force_next_flush()");
        });
        Row after = counters(node, database);
        return new Cost(after.getLong(0) - before.getLong(0), after.getLong(1) - before.getLong(1));
    }

    private static Row counters(BlueprintNode node, String database) {
        return node.with(
                database, connection -> connection.query(COUNTERS).iterator().next());
    }
}
