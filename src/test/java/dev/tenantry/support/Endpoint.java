package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.net.TlsSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where a protocol test says its words: to a plain server, which proves the test, or through the proxy, which must be
 * no different. Started when first used, and shared by all tests of the run; encrypted connections are possible.
 */
public enum Endpoint {
    /** A PostgreSQL server as it is. */
    SERVER {
        @Override
        public String host() {
            return ServerHolder.NODE.host();
        }

        @Override
        public int port() {
            return ServerHolder.NODE.port();
        }

        @Override
        public int majorVersion() {
            return ServerHolder.MAJOR_VERSION;
        }
    },

    /** The proxy, with schemas on a worker. */
    PROXY {
        @Override
        public String host() {
            return ProxyHolder.CLUSTER.host();
        }

        @Override
        public int port() {
            return ProxyHolder.CLUSTER.port();
        }

        @Override
        public int majorVersion() {
            return ProxyHolder.CLUSTER.worker(1).majorVersion();
        }

        @Override
        void makeSchema(RawClient client, String name) {
            client.run("SET tenantry.node = 'worker1'");
            super.makeSchema(client, name);
            client.run("RESET tenantry.node");
        }
    };

    private static final AtomicInteger SCHEMAS = new AtomicInteger();

    /** Where to connect. */
    public abstract String host();

    /** Where to connect. */
    public abstract int port();

    /** The major version of the servers behind it. */
    public abstract int majorVersion();

    /** A connection over which nothing has been said. */
    public RawClient connect() {
        return RawClient.connect(host(), port());
    }

    /** What a superuser's start-up message says, and more. */
    public Map<String, String> startup(String... namesAndValues) {
        Map<String, String> startup = new LinkedHashMap<>();
        startup.put("user", Superuser.DEFAULT.name());
        startup.put("database", Superuser.DEFAULT.database());
        for (int i = 0; i < namesAndValues.length; i += 2) {
            startup.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return startup;
    }

    /** A superuser's session, with more start-up parameters. */
    public RawClient login(String... namesAndValues) {
        return connect().signIn(RawClient.PROTOCOL_3_0, Superuser.DEFAULT.password(), startup(namesAndValues));
    }

    /** A superuser's session with a new schema of its own in the search_path. */
    public RawClient loginToNewSchema() {
        RawClient client = login();
        String schema = newSchema(client);
        client.value("SELECT set_config('search_path', '" + schema + "', false)");
        return client;
    }

    /** Makes a schema that nobody else uses. */
    public String newSchema(RawClient client) {
        String schema = "wire_" + name().toLowerCase(Locale.ROOT) + "_" + SCHEMAS.incrementAndGet();
        makeSchema(client, schema);
        return schema;
    }

    /** Makes a schema of that name. */
    public void newSchema(RawClient client, String name) {
        makeSchema(client, name);
    }

    void makeSchema(RawClient client, String name) {
        assertThat(client.run("CREATE SCHEMA \"" + name + "\"")).noneMatch(message -> message.type() == 'E');
    }

    private static final class ProxyHolder {

        static final Cluster CLUSTER = Cluster.start(1, clientTls());

        private static TlsSettings clientTls() {
            try {
                Path folder = Files.createTempDirectory("tenantry-proxy-");
                TestCertificate certificate = TestCertificate.create();
                return new TlsSettings(
                        TlsSettings.ClientMode.ALLOW,
                        Optional.of(certificate.writeCertificate(folder)),
                        Optional.of(certificate.writeKey(folder)),
                        TlsSettings.NodeMode.DISABLE,
                        Optional.empty());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class ServerHolder {

        static final PostgresNode NODE = startWithTls();
        static final int MAJOR_VERSION = NODE.majorVersion();

        private static PostgresNode startWithTls() {
            PostgresNode node = PostgresNode.start("endpoint");
            TestCertificate certificate = TestCertificate.create();
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement()) {
                write(statement, "server.crt", certificate.certificatePem());
                write(statement, "server.key", certificate.keyPem());
                statement.execute("ALTER SYSTEM SET ssl = on");
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            node.restart();
            return node;
        }

        private static void write(Statement statement, String file, String text) throws SQLException {
            String encoded = Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
            statement.execute("COPY (SELECT '" + encoded + "') TO PROGRAM 'umask 077 && base64 -d > " + file + "'");
        }
    }
}
