package dev.tenantry.it;

import static dev.tenantry.it.RightsAttacks.ATTACKER;
import static dev.tenantry.it.RightsAttacks.CLUSTER;
import static dev.tenantry.it.RightsAttacks.FUNCTIONS;
import static dev.tenantry.it.RightsAttacks.asAttacker;
import static dev.tenantry.it.RightsAttacks.assertNothingStolen;
import static dev.tenantry.it.RightsAttacks.assertRefused;
import static dev.tenantry.it.RightsAttacks.createSchema;
import static dev.tenantry.it.RightsAttacks.disarm;
import static dev.tenantry.it.RightsAttacks.move;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Schemas whose functions try to have the rights of a superuser when they move; see {@link RightsAttacks}. */
@ExtendWith(RightsAttacks.class)
class MoveRightsIT {

    /** One table for each way to have a function called, all of a column or two of whole numbers. */
    private static final String TABLES = """
            CREATE TABLE s.checked (id int PRIMARY KEY CHECK (s.passes(id, 'check')), CHECK (s.passes(1, 'check_const')));
            CREATE TABLE s.operated (id int PRIMARY KEY CHECK (id OPERATOR(s.===) id AND 1 OPERATOR(s.===) 1));
            CREATE DOMAIN s.dom AS int CHECK (s.passes(VALUE, 'domain'));
            CREATE TABLE s.of_domain (id s.dom PRIMARY KEY);
            CREATE TYPE s.pair AS (a int, b s.dom);
            CREATE TABLE s.of_composite (id int PRIMARY KEY, p s.pair);
            CREATE TABLE s.of_array (id int PRIMARY KEY, a s.dom[]);
            CREATE TYPE s.span AS RANGE (SUBTYPE = s.dom);
            CREATE TABLE s.of_range (id int PRIMARY KEY, r s.span);
            CREATE TABLE s.cast_to_domain (id int PRIMARY KEY, t text CHECK (t::s.dom > 0));
            CREATE TABLE s.generated (id int PRIMARY KEY, g int GENERATED ALWAYS AS (id + s.same(1, 'generated')) STORED);
            CREATE TABLE s.indexed (id int PRIMARY KEY);
            CREATE INDEX ON s.indexed ((id + s.same(1, 'index')));
            CREATE INDEX ON s.indexed (id) WHERE id > s.same(0, 'predicate');
            CREATE TABLE s.measured (id int PRIMARY KEY, b int);
            CREATE STATISTICS s.measures ON (id + s.same(1, 'statistics')), b FROM s.measured;
            CREATE TABLE s.parted (id int, b int) PARTITION BY RANGE (s.same(id, 'partition'));
            CREATE TABLE s.part1 PARTITION OF s.parted (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (1000);
            CREATE TABLE s.refers (id int PRIMARY KEY REFERENCES s.indexed);
            CREATE TABLE s.is_referred (id int PRIMARY KEY REFERENCES s.checked ON DELETE CASCADE);
            CREATE TYPE s.word AS ENUM ('a');
            CREATE FUNCTION s.number(w s.word) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$
            BEGIN PERFORM s.steal('cast of a key'); RETURN 1; END $f$;
            CREATE CAST (s.word AS int) WITH FUNCTION s.number(s.word) AS IMPLICIT;
            CREATE TABLE s.numbered (id int PRIMARY KEY);
            INSERT INTO s.numbered VALUES (1);
            CREATE TABLE s.cast_key (w s.word REFERENCES s.numbered, id int PRIMARY KEY);
            INSERT INTO s.cast_key VALUES ('a', 1);
            CREATE TABLE s.child (CHECK (s.passes(id, 'child')), PRIMARY KEY (id)) INHERITS (s.checked);
            CREATE TABLE s.harmless (id int PRIMARY KEY CHECK (id > 0), t text DEFAULT 'x');
            CREATE INDEX ON s.harmless (lower(t)) WHERE id > 5;
            CREATE TABLE s.hashed (a int) PARTITION BY HASH ((a + coalesce(s.same(1, 'hash key'), 0)));
            CREATE TABLE s.looks_up (id int PRIMARY KEY, b int);
            CREATE INDEX ON s.looks_up (b) WHERE satisfies_hash_partition('s.hashed'::regclass::oid, 2, 0, 1);
            """;

    private static final List<String> NAMES = List.of(
            "checked",
            "operated",
            "of_domain",
            "of_composite",
            "of_array",
            "of_range",
            "cast_to_domain",
            "generated",
            "indexed",
            "measured",
            "parted",
            "refers",
            "is_referred",
            "child",
            "harmless");

    @ParameterizedTest
    @ValueSource(strings = {"auto", "block_writes"})
    void callsNothingOfASchemaWithTheRightsOfASuperuser(String mode) throws SQLException, IOException {
        assumeThat(mode.equals("auto") && CLUSTER.worker(1).majorVersion() < 16)
                .as("before 16 changes are applied with the rights of a superuser")
                .isFalse();
        String schema = "rights_" + mode;
        createSchema(schema, NAMES, FUNCTIONS + TABLES);
        List<String> before = describe(schema);
        disarm();
        move(schema, mode);
        assertThat(CLUSTER.worker(2).list("SELECT nspname FROM pg_namespace WHERE nspname = '" + schema + "'"))
                .containsExactly(schema);
        assertNothingStolen();
        assertThat(CLUSTER.worker(2).list("SELECT DISTINCT caller <> '" + ATTACKER + "' FROM public.rights_calls"))
                .as("called by roles of the move")
                .contains("t");
        assertThat(describe(schema)).isEqualTo(before);
        CLUSTER.list("DROP SCHEMA " + schema + " CASCADE");
    }

    @Test
    void writesHeldRowsInTheNameOfTheirOwnerWhereWritersWait() throws SQLException, IOException {
        createSchema("rights_held", List.of("held"), FUNCTIONS + """
                CREATE UNLOGGED TABLE s.held (id int PRIMARY KEY);
                CREATE FUNCTION s.held(t text) RETURNS s.held LANGUAGE plpgsql AS $f$
                BEGIN PERFORM s.steal('cast'); RETURN ROW(1)::s.held; END $f$;
                CREATE CAST (text AS s.held) WITH FUNCTION s.held(text);
                """);
        assertRefused("rights_held", "for unlogged tables|for tables on PostgreSQL 15");
        move("rights_held", "block_writes");
        assertThat(asAttacker("SELECT sum(id) FROM rights_held.held")).containsExactly("210");
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_held CASCADE");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE VIEW s.v AS SELECT '{1}'::s.dom[] AS a",
                "CREATE VIEW s.v AS SELECT '{1}'::public.rights_dom[] AS a",
                "CREATE TABLE s.t (a public.rights_dom[] DEFAULT '{1}')",
                "CREATE FUNCTION s.more(s.dom[], int) RETURNS s.dom[] LANGUAGE sql AS 'SELECT $1';"
                        + " CREATE AGGREGATE s.all_of (int) (SFUNC = s.more, STYPE = s.dom[], INITCOND = '{1}')"
            })
    void refusesWhatCallsFunctionsWhenItIsMade(String sql) throws SQLException, IOException {
        assertRefusedUncalled("for constants of types that are checked|for functions of other schemas", """
                CREATE DOMAIN s.dom AS int CHECK (s.passes(VALUE, 'constant'));
                """ + sql);
    }

    @Test
    void refusesWhereAPartitionKeyIsComputedLater() throws SQLException, IOException {
        assertRefusedUncalled("for partition keys that are expressions", """
                CREATE TABLE s.parted (id int, b int) PARTITION BY RANGE ((id + s.same(1, 'partition')));
                CREATE INDEX ON s.parted (b);
                CREATE TABLE s.part1 PARTITION OF s.parted FOR VALUES FROM (0) TO (1000);
                """);
    }

    @Test
    void refusesToFollowTablesThatAreFoundByNoKey() throws SQLException, IOException {
        assertRefusedUncalled("for tables without a key|for tables on PostgreSQL 15", """
                CREATE TABLE s.t (id int);
                CREATE INDEX ON s.t ((id + s.same(1, 'identity')));
                """);
    }

    /** A schema of this content can't be moved, and nothing has been called by the attempt. */
    private static void assertRefusedUncalled(String why, String content) throws SQLException, IOException {
        createSchema("rights_refused", List.of(), FUNCTIONS + content);
        assertRefused("rights_refused", why);
        assertNothingStolen();
        CLUSTER.list("DROP SCHEMA rights_refused CASCADE");
    }

    /** Rows and definitions, asked by the attacker himself: whoever else asks calls what he is asked about. */
    private static List<String> describe(String schema) throws SQLException {
        List<String> found = asAttacker("""
                SELECT concat_ws(' ', conrelid::regclass, contypid::regtype, conname, pg_get_constraintdef(oid), convalidated,
                    coninhcount, conislocal)
                FROM pg_constraint WHERE connamespace = '%1$s'::regnamespace AND contype <> 'n'
                UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index
                JOIN pg_class c ON c.oid = indrelid AND relnamespace = '%1$s'::regnamespace
                UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc
                WHERE pronamespace = '%1$s'::regnamespace AND prokind = 'f' AND prolang > 16 AND prosrc LIKE '%%BEGIN%%'
                UNION ALL SELECT concat_ws(' ', oid::regclass, relacl, relowner::regrole, pg_get_partkeydef(oid),
                    pg_get_expr(relpartbound, oid)) FROM pg_class WHERE relnamespace = '%1$s'::regnamespace
                UNION ALL SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
                WHERE stxnamespace = '%1$s'::regnamespace
                UNION ALL SELECT 'acl ' || nspacl::text FROM pg_namespace WHERE nspname = '%1$s'
                ORDER BY 1""".formatted(schema));
        for (String table : NAMES) {
            found.addAll(asAttacker(
                    "SELECT '%2$s' || count(*) || md5(string_agg(t::text, '|' ORDER BY id))".formatted(schema, table)
                            + " FROM ONLY %s.%s t".formatted(schema, table.equals("parted") ? "part1" : table)));
        }
        return found;
    }
}
