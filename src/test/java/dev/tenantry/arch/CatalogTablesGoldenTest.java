package dev.tenantry.arch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.ControlPlane;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.PostgresNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jooq.codegen.GenerationTool;
import org.jooq.meta.jaxb.Configuration;
import org.jooq.meta.jaxb.Database;
import org.jooq.meta.jaxb.ForcedType;
import org.jooq.meta.jaxb.Generate;
import org.jooq.meta.jaxb.Generator;
import org.jooq.meta.jaxb.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compares the committed jOOQ classes with those made from a migrated database; {@code -Dgolden=update} rewrites. */
class CatalogTablesGoldenTest {

    private static final Path COMMITTED = Path.of("src/main/java/dev/tenantry/store/generated");

    @Test
    void generatedTablesAreThoseOfTheMigrations(@TempDir Path folder) throws Exception {
        Vertx vertx = Vertx.vertx();
        try (PostgresNode node = PostgresNode.start("golden");
                ControlPlane control = new ControlPlane(
                        vertx,
                        CoordinatorAddress.parse(node.url()),
                        List.of(),
                        ControlLimits.DEFAULT,
                        new SimpleMeterRegistry())) {
            control.start();
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute("COMMENT ON SCHEMA tenantry IS NULL"); // it names this very cluster
                generate(connection, folder);
            }
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
        Path made = folder.resolve("dev/tenantry/store/generated");
        if ("update".equals(System.getProperty("golden"))) {
            replace(COMMITTED, made);
        }
        assertThat(contents(COMMITTED))
                .as("run mvn test -Dtest=CatalogTablesGoldenTest -Dgolden=update")
                .isEqualTo(contents(made));
    }

    private static void generate(Connection connection, Path folder) throws Exception {
        GenerationTool tool = new GenerationTool();
        tool.setConnection(connection);
        tool.run(new Configuration()
                .withGenerator(new Generator()
                        .withDatabase(new Database()
                                .withName("org.jooq.meta.postgres.PostgresDatabase")
                                .withInputSchema("tenantry")
                                .withIncludes(
                                        "cluster|node|node_size|schema|dropped_schema|node_script|commit_record|pause")
                                .withIncludeRoutines(false)
                                .withIncludeUDTs(false)
                                .withIncludeSequences(false)
                                .withIncludeIndexes(false)
                                .withIncludeForeignKeys(false)
                                .withIncludeCheckConstraints(false)
                                .withIncludeSystemCheckConstraints(false)
                                .withForcedTypes(
                                        new ForcedType().withName("VARCHAR").withIncludeTypes("xid8|noderole"))
                                .withSchemaVersionProvider("SELECT ''"))
                        .withGenerate(new Generate()
                                .withRecords(false)
                                .withPojos(false)
                                .withDaos(false)
                                .withGeneratedAnnotation(false)
                                .withJavadoc(false)
                                .withGlobalCatalogReferences(false)
                                .withDefaultCatalog(false))
                        .withTarget(new Target()
                                .withPackageName("dev.tenantry.store.generated")
                                .withDirectory(folder.toString()))));
    }

    private static Map<Path, String> contents(Path root) throws IOException {
        Map<Path, String> found = new TreeMap<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (!file.endsWith("package-info.java")) {
                    // The hash is of the temporary folder too.
                    String text = Files.readString(file).replaceAll(",\\n *\"configuration hash:[^\"]*\"", "");
                    found.put(root.relativize(file), text);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }

    private static void replace(Path committed, Path made) throws IOException {
        for (Path stale : contents(committed).keySet()) {
            Files.delete(committed.resolve(stale));
        }
        for (Map.Entry<Path, String> fresh : contents(made).entrySet()) {
            Path target = committed.resolve(fresh.getKey());
            Files.createDirectories(target.getParent());
            Files.writeString(target, fresh.getValue());
        }
    }
}
