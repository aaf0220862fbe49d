package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Cancel requests: they end the query that runs, never another one, and are never answered. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class CancelIT {

    private final Endpoint endpoint;
    private final RawClient client;
    private final String schema;

    CancelIT(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.client = endpoint.loginToNewSchema();
        this.schema = client.value("SELECT current_schema");
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void cancelsRunningQuery() {
        sleep(client);
        cancel(client.processId(), client.secretKey());
        assertCancelled();
    }

    @Test
    void cancelsRunningQueryOfTransactionAndLeavesItFailed() {
        client.run("BEGIN");
        sleep(client);
        cancel(client.processId(), client.secretKey());
        List<Message> answer = client.readUntilReady();
        assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("57014");
        assertThat((char) answer.getLast().body()[0]).isEqualTo('E');
        client.run("ROLLBACK");
    }

    @Test
    void cancelsRunningExtendedQuery() {
        client.parse("", "SELECT pg_sleep(60)")
                .bind("", "")
                .execute("", 0)
                .sync()
                .flushOut();
        awaitSleep(client);
        cancel(client.processId(), client.secretKey());
        assertCancelled();
    }

    @Test
    void cancelsOverTls() {
        sleep(client);
        try (RawClient canceller = endpoint.connect()) {
            if (canceller.requestSsl() == 'S') {
                canceller.startTls();
            }
            canceller.requestCancel(client.processId(), client.secretKey());
            assertThat(canceller.readToEnd()).isEmpty();
        }
        assertCancelled();
    }

    @Test
    void cancelsByLongKeyOfProtocol32() {
        try (RawClient modern = endpoint.connect()) {
            modern.signIn(RawClient.PROTOCOL_3_2, "tenantry", endpoint.startup("search_path", schema));
            assertThat(modern.secretKey().length).isBetween(4, 256);
            modern.value("SELECT 1");
            modern.query("SELECT pg_sleep(60)").flushOut();
            awaitSleep(modern);
            cancel(modern.processId(), modern.secretKey());
            assertThat(Message.only(modern.readUntilReady(), 'E').sqlState()).isEqualTo("57014");
        }
    }

    @Test
    void ignoresWrongKeysAndUnknownNumbers() {
        sleep(client);
        byte[] wrong = client.secretKey();
        wrong[wrong.length - 1] ^= 1;
        cancel(client.processId(), wrong);
        cancel(client.processId() ^ 0x5555, client.secretKey());
        cancel(client.processId(), new byte[] {1});
        cancel(client.processId(), new byte[256]);
        assertThat(client.hasInput()).isFalse();
        cancel(client.processId(), client.secretKey());
        assertCancelled();
    }

    @Test
    void leavesTheNextQueryAlone() {
        for (int round = 0; round < 100; round++) {
            client.value("SELECT " + round);
            cancel(client.processId(), client.secretKey());
            assertThat(client.value("SELECT " + round)).isEqualTo("" + round);
        }
    }

    @Test
    void hitsNothingButTheQueryItFoundRunning() {
        for (int round = 0; round < 200; round++) {
            client.query("SELECT pg_sleep(0.0005)").flushOut();
            try (RawClient canceller = endpoint.connect()) {
                canceller.requestCancel(client.processId(), client.secretKey());
                client.readUntilReady();
                canceller.readToEnd();
            }
            assertThat(client.value("SELECT " + round)).isEqualTo("" + round);
        }
    }

    @Test
    void standsFloodOfRequests() {
        List<RawClient> flood = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            RawClient canceller = endpoint.connect();
            canceller.requestCancel(i, new byte[] {1, 2, 3, 4});
            flood.add(canceller);
        }
        for (RawClient canceller : flood) {
            assertThat(canceller.readToEnd()).isEmpty();
            canceller.close();
        }
        assertThat(client.value("SELECT 1")).isEqualTo("1");
    }

    @Test
    void givesEverySessionAnotherKey() {
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            try (RawClient other = endpoint.login()) {
                keys.add(other.processId() + " " + HexFormat.of().formatHex(other.secretKey()));
            }
        }
        assertThat(keys).hasSize(20);
    }

    @Test
    void cancelsCopyThatWaitsForItsClient() {
        client.run("CREATE TABLE t (id int)");
        client.query("COPY t FROM STDIN").read();
        client.copyData("1\n").flushOut();
        cancel(client.processId(), client.secretKey());
        // The server looks for a cancellation when it reads: the next piece shows it.
        client.copyData("2\n").copyDone();
        assertCancelled();
    }

    @Test
    void cancelsStringThatCreatesASchema() {
        String created = schema + "_in_string";
        client.query("CREATE SCHEMA " + created + "; SELECT pg_sleep(60); CREATE TABLE " + created + ".t (id int)")
                .flushOut();
        awaitSleep();
        cancel(client.processId(), client.secretKey());
        assertCancelled();
        assertThat(Message.types(client.run("CREATE SCHEMA " + created))).isEqualTo("CZ");
    }

    @Test
    void cancelsSchemaThatWaitsForAnother() {
        String created = schema + "_twice";
        try (RawClient first = endpoint.login();
                RawClient watcher = endpoint.login()) {
            first.run("BEGIN");
            first.run("CREATE SCHEMA " + created);
            client.query("CREATE SCHEMA " + created).flushOut();
            Eventually.passes(() -> assertThat(watcher.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
                    .isEqualTo("1"));
            cancel(client.processId(), client.secretKey());
            assertCancelled();
            first.run("ROLLBACK");
        }
        assertThat(Message.types(client.run("CREATE SCHEMA " + created))).isEqualTo("CZ");
    }

    @Test
    void cancelsCommitThatIsStillChecking() {
        client.run("CREATE TABLE t (id int)");
        client.run(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL;"
                        + " END'");
        client.run("CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE"
                + " FUNCTION slow()");
        for (String also : List.of("SELECT 1", "CREATE SCHEMA " + schema + "_beside")) {
            client.run("BEGIN");
            client.run(also);
            client.run("INSERT INTO t VALUES (1)");
            client.query("COMMIT").flushOut();
            awaitSleep();
            cancel(client.processId(), client.secretKey());
            List<Message> answer = client.readUntilReady();
            assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("57014");
            assertThat((char) answer.getLast().body()[0]).isEqualTo('I');
            assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("0");
        }
    }

    private void sleep(RawClient sleeper) {
        sleeper.query("SELECT pg_sleep(60)").flushOut();
        awaitSleep(sleeper);
    }

    private void awaitSleep(RawClient sleeper) {
        assertThat(sleeper.hasInput()).isFalse();
        awaitSleep();
    }

    private void awaitSleep() {
        try (RawClient watcher = endpoint.login("search_path", schema)) {
            Eventually.passes(() -> assertThat(
                            watcher.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
                    .isEqualTo("1"));
        }
    }

    private void cancel(int processId, byte[] key) {
        try (RawClient canceller = endpoint.connect()) {
            canceller.requestCancel(processId, key);
            assertThat(canceller.readToEnd()).isEmpty();
        }
    }

    private void assertCancelled() {
        List<Message> answer = client.readUntilReady();
        assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("57014");
        assertThat(client.value("SELECT 1")).isEqualTo("1");
    }
}
