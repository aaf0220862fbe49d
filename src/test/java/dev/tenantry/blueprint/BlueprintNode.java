package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.support.PostgresNode;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A server with two databases, as if they were two nodes with the same roles; and pg_dump. */
final class BlueprintNode implements AutoCloseable {

    static final Path DEBIAN_15 = Path.of("/usr/lib/postgresql/15/bin");
    static final String SOURCE = "source";
    static final String TARGET = "target";

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final PostgresNode node;
    private final Vertx vertx = Vertx.vertx();

    BlueprintNode(PostgresNode node) {
        this.node = node;
        run(Superuser.DEFAULT.database(), "CREATE DATABASE source");
        run(Superuser.DEFAULT.database(), "CREATE DATABASE target");
        run(Superuser.DEFAULT.database(), resource("roles.sql"));
    }

    int majorVersion() {
        return node.majorVersion();
    }

    /** Runs statements in a database. */
    void run(String database, String sql) {
        try (Connection connection = DriverManager.getConnection(node.jdbcUrl(database) + "&preferQueryMode=simple");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** Reads a schema. */
    SchemaBlueprint read(String database, String schema) {
        return with(database, connection -> BlueprintReader.read(connection, schema));
    }

    /** Creates a schema in the target, all phases. */
    void create(SchemaBlueprint blueprint) {
        with(TARGET, connection -> {
            for (Phase phase : Phase.values()) {
                BlueprintWriter.create(connection, blueprint, phase);
            }
            return blueprint;
        });
    }

    /** Copies a schema from source to target, and checks that the target reads the same. */
    SchemaBlueprint copy(String schema) {
        SchemaBlueprint source = read(SOURCE, schema);
        create(source);
        SchemaBlueprint target = read(TARGET, schema);
        assertThat(target.description()).isEqualTo(source.description());
        assertThat(source.differences(target)).isEmpty();
        return source;
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

    /** What pg_dump says of a schema. */
    String dump(String database, String schema) {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                DEBIAN_15.resolve("pg_dump").toString(),
                "-h",
                node.host(),
                "-p",
                Integer.toString(node.port()),
                "-U",
                Superuser.DEFAULT.name(),
                "-s",
                "-n",
                '"' + schema.replace("\"", "\"\"") + '"',
                database));
        builder.environment().put("PGPASSWORD", Superuser.DEFAULT.password());
        builder.redirectErrorStream(true);
        try {
            Process process = builder.start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(text).isZero();
            // Minor releases from 2025 on have a line with a random word.
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
