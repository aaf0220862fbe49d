package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** A server whose databases stand for nodes with the same roles; and pg_dump. */
final class BlueprintNode implements AutoCloseable {

    /** Where pg_dump is, which the bundled servers come without. */
    static final Path DEBIAN_15 = Path.of("/usr/lib/postgresql/15/bin");

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final PostgresNode node;
    private final Vertx vertx = Vertx.vertx();
    private int databases;

    BlueprintNode(PostgresNode node) {
        this.node = node;
        run(Superuser.DEFAULT.database(), resource("roles.sql"));
    }

    /** A new database. */
    String database() {
        String name = "database" + ++databases;
        run(Superuser.DEFAULT.database(), "CREATE DATABASE " + name);
        return name;
    }

    /** Runs statements, which may be many, in one transaction. */
    void run(String database, String sql) {
        with(database, connection -> connection.query(sql));
    }

    /** Reads a schema. */
    SchemaBlueprint read(String database, String schema) {
        return with(database, connection -> BlueprintReader.read(connection, schema));
    }

    /** Creates a schema, all phases. */
    void create(String database, SchemaBlueprint blueprint) {
        with(database, connection -> {
            for (Phase phase : Phase.values()) {
                BlueprintWriter.create(connection, blueprint, phase);
            }
            return blueprint;
        });
    }

    /** Copies a schema to a new database, and checks that the same is read there. */
    String copy(String source, String schema) {
        String target = database();
        SchemaBlueprint original = read(source, schema);
        create(target, original);
        SchemaBlueprint copy = read(target, schema);
        assertThat(copy.description()).isEqualTo(original.description());
        assertThat(original.differences(copy)).isEmpty();
        assertThat(fingerprint(target, schema)).isEqualTo(fingerprint(source, schema));
        assertThat(copy.tables().stream().map(TableBlueprint::name))
                .containsExactlyElementsOf(
                        original.tables().stream().map(TableBlueprint::name).toList());
        return target;
    }

    /** Calls with a connection of the control plane's kind. */
    <T> T with(String database, Function<ServerConnection, T> action) {
        CoordinatorAddress any = CoordinatorAddress.parse(node.url());
        CoordinatorAddress address =
                new CoordinatorAddress(any.host(), any.port(), database, any.user(), any.password(), any.tls());
        try (ServerConnection connection = ServerConnection.open(vertx, address, LIMIT)) {
            return action.apply(connection);
        }
    }

    /** The rows of the catalogs that make a schema what it is. */
    String fingerprint(String database, String schema) {
        String query = resource("fingerprint.sql").replace(":name", SqlName.literal(schema));
        return with(
                database,
                connection -> StreamSupport.stream(connection.query(query).spliterator(), false)
                        .map(row -> row.getString(0))
                        .collect(Collectors.joining("\n")));
    }

    /** What pg_dump says of a database, its publications and casts included. */
    String dump(String database) {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                DEBIAN_15.resolve("pg_dump").toString(),
                "--host=" + node.host(),
                "--port=" + node.port(),
                "--username=" + Superuser.DEFAULT.name(),
                "--schema-only",
                database));
        builder.environment().put("PGPASSWORD", Superuser.DEFAULT.password());
        builder.redirectError(ProcessBuilder.Redirect.DISCARD); // warnings of circles name oids
        try {
            Process process = builder.start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(text).isZero();
            // Newer minor releases print a line with a random word.
            return text.lines()
                    .filter(line -> !line.startsWith("\\restrict") && !line.startsWith("\\unrestrict"))
                    .collect(Collectors.joining("\n"));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    static String resource(String name) {
        try (InputStream stream =
                Objects.requireNonNull(BlueprintNode.class.getResourceAsStream("/blueprint/" + name), name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @Override
    public void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
        node.close();
    }
}
