package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a server does to a session whose client says nothing; through the proxy it must be the same. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class SessionTimeoutsIT {

    private final Endpoint endpoint;
    private final RawClient client;
    private final RawClient clock;

    SessionTimeoutsIT(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.client = endpoint.loginToNewSchema();
        this.clock = endpoint.login();
        client.run("CREATE TABLE t (id int)");
    }

    @AfterEach
    void disconnect() {
        client.close();
        clock.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET idle_session_timeout = 200",
                "SET idle_session_timeout = '0.2s'; SELECT FROM t",
                "BEGIN; SET idle_session_timeout = '200ms'; COMMIT",
                "SELECT set_config('idle_session_timeout', '200', false)",
            })
    void endsWhoIsIdle(String sql) {
        client.run(sql);
        assertEnds(client, "57P05", "terminating connection due to idle-session timeout");
    }

    @Test
    void endsWhoHasAskedForItAtTheStart() {
        try (RawClient begun = endpoint.login("idle_session_timeout", "200")) {
            assertThat(begun.value("SHOW idle_session_timeout")).isEqualTo("200ms");
            assertEnds(begun, "57P05", "terminating connection due to idle-session timeout");
        }
    }

    @Test
    void endsWhoseRoleHasIt() {
        String role = "idle_" + endpoint.name().toLowerCase(java.util.Locale.ROOT);
        client.run("CREATE ROLE " + role + " LOGIN PASSWORD 'secret'");
        client.run("ALTER ROLE " + role + " SET idle_session_timeout = '300ms'");
        var startup = endpoint.startup();
        startup.put("user", role);
        try (RawClient begun = endpoint.connect()) {
            begun.signIn(RawClient.PROTOCOL_3_0, "secret", startup);
            begun.run("SET idle_session_timeout = 0");
            assertThat(begun.value("SHOW idle_session_timeout")).isEqualTo("0");
            begun.run("RESET idle_session_timeout");
            assertThat(begun.value("SHOW idle_session_timeout")).isEqualTo("300ms");
            assertEnds(begun, "57P05", "terminating connection due to idle-session timeout");
        }
        client.run("DROP ROLE " + role);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SELECT FROM t", "SELECT FROM nowhere"})
    void endsWhoIsIdleInATransaction(String first) {
        client.run("SET idle_in_transaction_session_timeout = 200");
        client.run("BEGIN");
        client.run(first);
        assertEnds(client, "25P03", "terminating connection due to idle-in-transaction timeout");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "SELECT FROM t", "SAVEPOINT one"})
    void endsATransactionThatTakesTooLong(String first) {
        assumeTrue(endpoint.majorVersion() >= 17);
        client.run("SET transaction_timeout = 250");
        client.run("BEGIN");
        client.run(first);
        assertEnds(client, "25P04", "terminating connection due to transaction timeout");
    }

    @Test
    void endsAStatementWhoseTransactionTakesTooLong() {
        assumeTrue(endpoint.majorVersion() >= 17);
        client.run("SET transaction_timeout = 200");
        client.query("SELECT pg_sleep(60) FROM (SELECT count(*) FROM t) t").flushOut();
        assertEnds(client, "25P04", "terminating connection due to transaction timeout");
    }

    @Test
    void letsWhoIsNotIdleGoOn() {
        client.run("SET idle_session_timeout = 200");
        client.run("BEGIN");
        passTime();
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("0");
        passTime();
        client.run("SET idle_session_timeout = 0; SET idle_in_transaction_session_timeout = 200");
        client.run("COMMIT");
        passTime();
        assertThat(client.value("SELECT pg_sleep(0.4), 1 FROM (SELECT count(*) FROM t) t"))
                .isEmpty();
        assertThat(client.value("SELECT 1")).isEqualTo("1");
        client.run("BEGIN");
        client.run("SET LOCAL idle_in_transaction_session_timeout = 0");
        passTime();
        client.run("ROLLBACK");
        assertThat(client.value("SELECT 1")).isEqualTo("1");
    }

    /** Twice as long as the times that are set. */
    private void passTime() {
        clock.value("SELECT pg_sleep(0.5)::text");
    }

    private static void assertEnds(RawClient ended, String sqlState, String message) {
        List<Message> last = ended.readToEnd();
        assertThat(last.getLast().type()).isEqualTo('E');
        assertThat(last.getLast().fields()).containsEntry('S', "FATAL").containsEntry('V', "FATAL");
        assertThat(last.getLast().sqlState()).isEqualTo(sqlState);
        assertThat(last.getLast().errorMessage()).isEqualTo(message);
    }
}
