package dev.tenantry.support;

import dev.tenantry.embedded.PostgresBinaries;
import dev.tenantry.embedded.Superuser;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;

/**
 * One real PostgreSQL server of a test's own, with the role, password and database {@code tenantry} and the settings an
 * embedded node has; nothing waits for the disk.
 *
 * <p>Which PostgreSQL: the bundled 18; or that of {@code -Dpg.bin=DIR} or the environment variable {@code PG_BIN}; or,
 * with {@code -Dtenantry.test.servers=containers}, the image {@code -Dtenantry.test.image} ({@code postgres:18} if not
 * given) by Testcontainers.
 */
public interface PostgresNode extends AutoCloseable {

    /** The superuser's password on every test node, the same text everywhere, as a cluster needs it. */
    String VERIFIER = "SCRAM-SHA-256$4096:dGVuYW50cnktdGVzdHM=$"
            + "tWu6+UwEi7c2XfSVzSp7cJuwx1Oed7ACN6E5flsgb0Y=:ABFVZASsj6Vx9KvXXdwDMz8K2rBnMXMg+WK4TXCFu/4=";

    /** A running server; close it, or leave it to the end of the JVM. */
    static PostgresNode start(String name) {
        return "containers".equals(System.getProperty("tenantry.test.servers"))
                ? ContainerNode.start(name)
                : LocalNode.start(name);
    }

    /** A running server of an installation that this test needs, whatever the others use. */
    static PostgresNode start(String name, Path bin) {
        return LocalNode.start(name, PostgresBinaries.in(bin));
    }

    /** What the test calls it. */
    String name();

    /** Where it listens. */
    String host();

    /** Where it listens; stays the same over {@link #kill} and {@link #restart}. */
    int port();

    /** Kills the server the hard way; it stays down until {@link #restart}. */
    void kill();

    /** Stops the server if it runs, and starts it again on the same port with the same data. */
    void restart();

    @Override
    void close();

    /** The server's major version, 15 to 18. */
    default int majorVersion() {
        try (Connection connection = connect()) {
            return connection.getMetaData().getDatabaseMajorVersion();
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** The first column of what a statement returns there. */
    default List<String> list(String sql) throws SQLException {
        return FirstColumn.of(connect(), sql);
    }

    /** A JDBC URL to the database {@code tenantry}, role and password included. */
    default String jdbcUrl() {
        return jdbcUrl(Superuser.DEFAULT.database());
    }

    /** A JDBC URL to a database, role and password included. */
    default String jdbcUrl(String database) {
        return "jdbc:postgresql://" + host() + ":" + port() + "/" + database + "?user=" + Superuser.DEFAULT.name()
                + "&password=" + Superuser.DEFAULT.password() + "&loginTimeout=20&socketTimeout=120";
    }

    /** The same as other clients write it. */
    default String url() {
        Superuser superuser = Superuser.DEFAULT;
        return "postgresql://" + superuser.name() + ":" + superuser.password() + "@" + host() + ":" + port() + "/"
                + superuser.database();
    }

    /** A connection as the superuser. */
    default Connection connect() throws SQLException {
        return DriverManager.getConnection(jdbcUrl());
    }
}
