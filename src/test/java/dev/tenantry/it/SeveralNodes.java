package dev.tenantry.it;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A client, and a schema with a table on each of two workers: {@code several_1.t} and {@code several_2.t}. */
abstract class SeveralNodes {
    final Cluster cluster = Cluster.shared();
    final RawClient client = login();

    final RawClient login() {
        return cluster.login();
    }

    @BeforeEach
    void makeSchemas() {
        clean(client);
        for (int i = 1; i <= 2; i++) {
            client.run("SET tenantry.node = 'worker" + i + "'");
            client.run("CREATE SCHEMA several_" + i);
            client.run("CREATE TABLE several_" + i + ".t (id int)");
        }
        client.run("RESET tenantry.node");
        client.run("SELECT FROM several_1.t");
    }

    @AfterEach
    void leave() {
        client.close();
        try (RawClient other = login()) {
            clean(other);
        }
    }

    private static void clean(RawClient by) {
        by.run("DROP SCHEMA IF EXISTS several_1, several_2, several_3 CASCADE");
        by.run("DROP ROLE IF EXISTS several_role");
        by.run("DROP ROLE IF EXISTS several_login");
    }

    final String outcome(String sql) {
        return outcome(client.query(sql));
    }

    /** Sends it by the extended protocol, without Sync. */
    final void execute(String sql) {
        client.parse("", sql).bind("", "").execute("", 0);
    }

    /** Tags and SQLSTATEs of errors up to ReadyForQuery, and its status. */
    static String outcome(RawClient of) {
        List<Message> answer = of.readUntilReady();
        String said = answer.stream()
                .filter(message -> message.type() == 'C' || message.type() == 'E')
                .map(message -> message.type() == 'C' ? message.strings().getFirst() : message.sqlState())
                .collect(Collectors.joining(", "));
        return said + " " + answer.getLast().text();
    }

    /** A setting as it is on a worker. */
    final String on(int worker, String setting) {
        return client.value("SELECT current_setting('" + setting + "') FROM several_" + worker
                + ".t RIGHT JOIN (SELECT 1) one ON true LIMIT 1");
    }

    final String roleOn(int worker) {
        return client.value("SELECT current_user FROM pg_class WHERE relnamespace ="
                + " (SELECT oid FROM pg_namespace WHERE nspname = 'several_" + worker + "')");
    }

    final String rows(int schema) {
        return client.value("SELECT count(*) FROM several_" + schema + ".t");
    }

    /** How many prepared transactions there are in the clients' database. */
    final int prepared() throws SQLException {
        int found = 0;
        for (int node = 0; node < cluster.nodes().size(); node++) {
            found += Integer.parseInt(
                    direct(node, "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"));
        }
        return found;
    }

    final String direct(int node, String sql) throws SQLException {
        try (Connection connection = cluster.nodes().get(node).connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return new String(rows.getBytes(1), StandardCharsets.UTF_8);
        }
    }
}
