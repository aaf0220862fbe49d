package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tenantry.support.PostgresNode;
import java.nio.file.Files;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What we create on PostgreSQL 15 is to pg_dump what we read: every line of it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BlueprintDumpIT {

    private BlueprintNode node;

    @BeforeAll
    void start() {
        assumeTrue(Files.isExecutable(BlueprintNode.DEBIAN_15.resolve("pg_dump")), "pg_dump is not installed here");
        node = new BlueprintNode(PostgresNode.start("blueprint15", BlueprintNode.DEBIAN_15));
    }

    @AfterAll
    void stop() {
        if (node != null) {
            node.close();
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '|',
            value = {"tables.sql, tables", "objects.sql, Objects \"of all kinds", "circles.sql, circles"})
    void dumpOfTheTargetIsTheDumpOfTheSource(String file, String schema) {
        String source = node.database();
        node.run(source, BlueprintNode.resource(file));

        String target = node.copy(source, schema);

        assertThat(node.dump(target)).isEqualTo(node.dump(source)).hasSizeGreaterThan(1000);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '|',
            value = {"tables.sql, tables", "objects.sql, Objects \"of all kinds", "circles.sql, circles"})
    void isMadeOnTheLatestVersionToo(String file, String schema) {
        String source = node.database();
        node.run(source, BlueprintNode.resource(file));
        SchemaBlueprint original = node.read(source, schema);
        try (BlueprintNode latest = new BlueprintNode(PostgresNode.start("blueprint_latest"))) {
            String target = latest.database();

            latest.create(target, original);

            assertThat(original.differences(latest.read(target, schema))).isEmpty();
        }
    }
}
