package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.support.PostgresNode;
import java.nio.file.Files;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Random schemas with a random history arrive as they are: the same each time, or with {@code -Dseed=N} another. */
class RandomBlueprintIT {

    private static final int SCHEMAS = 12;
    /** Fewer statements than that would mean that the generator is broken. */
    private static final int STATEMENTS_MIN = 10;

    @Test
    void arriveOnTheServerOfTheseTests() {
        try (BlueprintNode node = new BlueprintNode(PostgresNode.start("random"))) {
            seeds().forEach(seed -> {
                String source = make(node, seed);
                node.copy(source, "Random " + seed); // whose name tells the seed
            });
        }
    }

    @Test
    void areDumpedAlikeOnPostgres15() {
        assumeTrue(Files.isExecutable(BlueprintNode.DEBIAN_15.resolve("pg_dump")), "pg_dump is not installed here");
        try (BlueprintNode node = new BlueprintNode(PostgresNode.start("random15", BlueprintNode.DEBIAN_15))) {
            seeds().forEach(seed -> {
                String source = make(node, seed);
                String target = node.copy(source, "Random " + seed);
                assertThat(node.dump(target)).as("seed %d", seed).isEqualTo(node.dump(source));
            });
        }
    }

    private static LongStream seeds() {
        Long given = Long.getLong("seed");
        long first = given == null ? 1 : given;
        return LongStream.range(first, first + (given == null ? SCHEMAS : 1));
    }

    /** Runs what the server takes of a random schema's statements, in a new database. */
    private static String make(BlueprintNode node, long seed) {
        String database = node.database();
        AtomicInteger taken = new AtomicInteger();
        node.with(database, connection -> {
            for (String statement : new RandomSchema(seed, "Random " + seed).statements()) {
                try {
                    connection.query(statement);
                    taken.incrementAndGet();
                } catch (StatementRefusedException impossible) {
                    // Not every combination is possible.
                }
            }
            return taken;
        });
        assertThat(taken.get()).as("seed %d", seed).isGreaterThan(STATEMENTS_MIN);
        return database;
    }
}
