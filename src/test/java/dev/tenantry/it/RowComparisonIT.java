package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.node.copy.RowComparison;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two databases of one server stand for two nodes. */
class RowComparisonIT {

    private static final String SCHEMA = "kinds";

    /** Made apart on both sides, so that oids differ. */
    private static final String TABLES = """
            CREATE SCHEMA kinds;
            CREATE TYPE kinds.mood AS ENUM ('sad', 'glad');
            CREATE TABLE kinds.all_kinds (id int PRIMARY KEY, truth bool, big bigint, amount numeric, real_one float8,
                words text, short varchar(9), padded char(9), bytes bytea, key uuid, day date, at timestamptz,
                span interval, doc json, mood kinds.mood, moods kinds.mood[], gone int,
                twice int GENERATED ALWAYS AS (id * 2) STORED);
            ALTER TABLE kinds.all_kinds DROP COLUMN gone;
            INSERT INTO kinds.all_kinds SELECT g, g % 2 = 0, g * 10000000000, g + 0.5, 0, 'word ' || g, 'w' || g, 'p',
                decode('00', 'hex'), ('00000000-0000-0000-0000-00000000000' || g)::uuid, '2026-01-01',
                '2026-01-01 00:00:00+00', '24:00:00', '{}', 'sad', '{sad,glad}' FROM generate_series(1, 5) g;
            INSERT INTO kinds.all_kinds (id) VALUES (6);
            CREATE TABLE kinds.bare ();
            INSERT INTO kinds.bare DEFAULT VALUES;
            CREATE TABLE kinds.documents (doc json);
            """;

    private static final PostgresNode NODE = PostgresNode.start("comparison");
    private static final Vertx VERTX = Vertx.vertx();
    private static ServerConnection source;
    private static ServerConnection target;

    @BeforeAll
    static void create() {
        try (ServerConnection first = open("tenantry")) {
            first.query("CREATE DATABASE source");
            first.query("CREATE DATABASE target");
        }
        source = open("source");
        target = open("target");
        source.query(TABLES);
        target.query("CREATE TYPE public.other AS ENUM ('one')");
        target.query(TABLES);
    }

    @AfterAll
    static void stop() {
        source.close();
        target.close();
        VERTX.close().toCompletionStage().toCompletableFuture().join();
        NODE.close();
    }

    private static ServerConnection open(String database) {
        return ServerConnection.open(
                VERTX,
                CoordinatorAddress.parse(
                        "postgresql://tenantry:tenantry@%s:%d/%s".formatted(NODE.host(), NODE.port(), database)),
                Duration.ofSeconds(30));
    }

    @Test
    void findsEqualRowsEqual() throws InterruptedException {
        assertThat(differences()).isEmpty();
    }

    @Test
    void tellsRowsThatAreMissing() throws InterruptedException {
        assertThat(differencesAfter("DELETE FROM kinds.bare"))
                .containsExactly("table \"kinds\".\"bare\" has 1 rows and its copy has 0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "truth = NOT truth WHERE id = 1",
                "big = big + 1 WHERE id = 1",
                "big = 0 WHERE id = 6",
                "amount = amount * 1.0 WHERE id = 1",
                "real_one = '-0' WHERE id = 1",
                "words = words || ' ' WHERE id = 1",
                "words = '' WHERE id = 6",
                "short = upper(short) WHERE id = 1",
                "padded = 'q' WHERE id = 1",
                "bytes = '' WHERE id = 1",
                "key = NULL WHERE id = 1",
                "day = day + 1 WHERE id = 1",
                "at = at + interval '1 us' WHERE id = 1",
                "span = '1 day' WHERE id = 1",
                "doc = '{ }' WHERE id = 1",
                "mood = 'glad' WHERE id = 1",
                "moods = '{glad,sad}' WHERE id = 1",
                "words = 'word ' || (3 - id) WHERE id IN (1, 2)",
                "big = (3 - id) * 10000000000 WHERE id IN (1, 2)",
                "truth = NOT truth WHERE id IN (1, 2)",
            })
    void findsValueThatDiffers(String change) throws InterruptedException {
        assertThat(differencesAfter("UPDATE kinds.all_kinds SET " + change))
                .containsExactly("table \"kinds\".\"all_kinds\" and its copy have different values");
    }

    private static List<String> differencesAfter(String change) throws InterruptedException {
        target.query("BEGIN");
        try {
            target.query(change);
            return differences();
        } finally {
            target.query("ROLLBACK");
        }
    }

    private static List<String> differences() throws InterruptedException {
        return new RowComparison(source, target, SCHEMA, Map.of(), Map.of())
                .differences(List.of("all_kinds", "bare", "documents"), true);
    }
}
