package dev.tenantry.support;

import dev.tenantry.embedded.FreePort;
import dev.tenantry.embedded.Superuser;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.PostgreSQLContainer;

/** A node that is a container; tests that ask for one where no Docker engine is are skipped, and say so. */
final class ContainerNode implements PostgresNode {

    private static final int SERVER_PORT = 5432;

    private final String name;
    private final int port;
    private final PostgreSQLContainer<?> container;

    private ContainerNode(String name, int port, PostgreSQLContainer<?> container) {
        this.name = name;
        this.port = port;
        this.container = container;
    }

    static ContainerNode start(String name) {
        Assumptions.assumeTrue(
                DockerClientFactory.instance().isDockerAvailable(), "no Docker engine for the Testcontainers provider");
        int port = FreePort.draw();
        String image = System.getProperty("tenantry.test.image", "postgres:18");
        @SuppressWarnings("resource") // closed by close(), or by Testcontainers at the end of the JVM
        PostgreSQLContainer<?> container = new PostgreSQLContainer<>(image)
                .withUsername(Superuser.DEFAULT.name())
                .withPassword(Superuser.DEFAULT.password())
                .withDatabaseName(Superuser.DEFAULT.database())
                .withCommand(
                        "postgres",
                        "-c",
                        "wal_level=logical",
                        "-c",
                        "max_connections=300",
                        "-c",
                        "max_prepared_transactions=300",
                        "-c",
                        "max_replication_slots=40",
                        "-c",
                        "fsync=off");
        container.setPortBindings(List.of(port + ":" + SERVER_PORT));
        container.start();
        ContainerNode node = new ContainerNode(name, port, container);
        node.giveVerifier();
        return node;
    }

    private void giveVerifier() {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER ROLE " + Superuser.DEFAULT.name() + " PASSWORD '" + VERIFIER + "'");
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String host() {
        return container.getHost();
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void kill() {
        container.getDockerClient().killContainerCmd(container.getContainerId()).exec();
    }

    @Override
    public void restart() {
        container
                .getDockerClient()
                .restartContainerCmd(container.getContainerId())
                .exec();
        Eventually.passes(() -> connect().close());
    }

    @Override
    public void close() {
        container.stop();
    }
}
