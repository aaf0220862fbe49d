package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tenantry.blueprint.TableBlueprint.Kind;
import dev.tenantry.blueprint.TableBlueprint.Persistence;
import dev.tenantry.blueprint.TableBlueprint.ReplicaIdentity;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.support.PostgresNode;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Schemas written by hand, read and created on the PostgreSQL that tests run on. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BlueprintIT {

    private BlueprintNode node;

    @BeforeAll
    void start() {
        node = new BlueprintNode(PostgresNode.start("blueprint"));
    }

    @AfterAll
    void stop() {
        node.close();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '|',
            value = {"tables.sql, tables", "objects.sql, Objects \"of all kinds", "circles.sql, circles"})
    void readsFromTheTargetWhatItReadFromTheSource(String file, String schema) {
        String source = node.database();
        node.run(source, BlueprintNode.resource(file));

        String target = node.copy(source, schema);

        // A blueprint of the copy makes the same again, in the same order.
        assertThat(node.read(target, schema).statements())
                .isEqualTo(node.read(source, schema).statements());
    }

    @Test
    void carriesWhatLaterVersionsBrought() {
        String source = node.database();
        int version = node.with(
                source,
                connection -> connection
                        .query("SELECT current_setting('server_version_num')::int / 10000")
                        .iterator()
                        .next()
                        .getInteger(0));
        assumeTrue(version >= 18, "the server is too old to have it");
        node.run(source, BlueprintNode.resource("modern.sql"));

        String target = node.copy(source, "modern");
        assertThat(notNull(target)).isEqualTo(notNull(source)).contains("already not_yet_null t f 1");
        node.run(source, "ALTER TABLE modern.already_part ALTER COLUMN z SET NOT NULL");
        assertThat(node.read(source, "modern").differences(node.read(target, "modern")))
                .isNotEmpty();
    }

    /** By the table, whether it is valid, and whether the table has it by itself. */
    private String notNull(String database) {
        String query = """
                SELECT string_agg(concat_ws(' ', c.relname, n.conname, n.convalidated, n.conislocal, n.coninhcount,
                                            n.connoinherit), E'\n' ORDER BY c.relname, n.conname)
                FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
                WHERE n.contype = 'n' AND c.relnamespace = 'modern'::regnamespace
                """;
        return node.with(
                database,
                connection -> connection.query(query).iterator().next().getString(0));
    }

    @Test
    void tellsWhatAMoveHasToKnowOfTables() {
        String database = node.database();
        node.run(database, """
                CREATE SCHEMA told; SET search_path = told;
                CREATE TABLE keyed (id bigserial PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED);
                CREATE TABLE keyless (id int);
                CREATE TABLE late_key (id int PRIMARY KEY DEFERRABLE);
                CREATE UNLOGGED TABLE fleeting (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
                CREATE TABLE parts (id int) PARTITION BY LIST (id);
                ALTER TABLE parts REPLICA IDENTITY FULL;
                CREATE SEQUENCE loose;
                INSERT INTO keyed (n) SELECT generate_series(1, 1000);
                """);

        SchemaBlueprint told = node.read(database, "told");

        assertThat(told.sequences())
                .extracting(SequenceBlueprint::name)
                .containsExactly("fleeting_id_seq", "keyed_id_seq", "loose");
        assertThat(told.tables())
                .extracting(TableBlueprint::name)
                .containsExactly("fleeting", "keyed", "keyless", "late_key", "parts");
        assertThat(told.tables())
                .extracting(TableBlueprint::replicaIdentity)
                .containsExactly(
                        ReplicaIdentity.KEY,
                        ReplicaIdentity.KEY,
                        ReplicaIdentity.NONE,
                        ReplicaIdentity.NONE,
                        ReplicaIdentity.FULL);
        assertThat(told.tables().getFirst().persistence()).isEqualTo(Persistence.UNLOGGED);
        assertThat(told.tables().getLast().kind()).isEqualTo(Kind.PARTITIONED);
        assertThat(told.tables().get(1).storedColumns()).containsExactly("id", "n");
        assertThat(told.tables().get(1).estimatedBytes()).isBetween(8192L * 4, 8192L * 20);
    }

    @Test
    void namesWhatDiffers() {
        String database = node.database();
        node.run(
                database,
                "CREATE SCHEMA differing; CREATE TABLE differing.t (a int); CREATE TABLE differing.u (a int)");
        SchemaBlueprint before = node.read(database, "differing");
        node.run(
                database,
                "ALTER TABLE differing.t ADD b int; DROP TABLE differing.u; "
                        + "CREATE INDEX late ON differing.t (a); ALTER TABLE differing.t REPLICA IDENTITY FULL");
        SchemaBlueprint after = node.read(database, "differing");

        assertThat(before.differences(after))
                .containsExactly(
                        "table \"differing\".\"t\" differs",
                        "table \"differing\".\"u\" is missing",
                        "index \"differing\".\"late\" is new",
                        "replica identity \"differing\".\"t\" is new");
        assertThat(before.differences(after.withoutReplicaIdentity(List.of("t"))))
                .hasSize(3);
    }

    @Test
    void refusesASchemaThatIsNotThere() {
        assertThatThrownBy(() -> node.read(node.database(), "Nowhere \"x"))
                .isInstanceOfSatisfying(
                        StatementRefusedException.class,
                        refused -> assertThat(refused.sqlState()).isEqualTo("3F000"));
    }
}
