package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Endpoint;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Large messages, slow readers, and clients that go away: what must stream, stop and end. */
@ParameterizedClass
@EnumSource(Endpoint.class)
class LargeMessagesIT {

    private static final int MEGABYTE = 1 << 20;

    private final Endpoint endpoint;
    private final RawClient client;

    LargeMessagesIT(Endpoint endpoint) {
        this.endpoint = endpoint;
        this.client = endpoint.loginToNewSchema();
        client.run("CREATE TABLE t (id int, filler text)");
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void carriesLargeValuesBothWays() {
        byte[] value = new byte[64 * MEGABYTE];
        Arrays.fill(value, (byte) 'v');
        client.parse("", "SELECT $1::text, length($1)");
        client.message(
                'B',
                new MessageWriter()
                        .string("")
                        .string("")
                        .int16(0)
                        .int16(1)
                        .int32(value.length)
                        .bytes(value)
                        .int16(0));
        client.execute("", 0).sync();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("12DCZ");
        assertThat(Message.only(answer, 'D').body().length).isGreaterThan(value.length);
        assertThat(client.value("SELECT 1")).isEqualTo("1");
    }

    @Test
    void carriesLargeQueryText() {
        String literal = "q".repeat(10 * MEGABYTE);
        assertThat(client.value("SELECT length('" + literal + "')")).isEqualTo("" + literal.length());
        client.parse("", "SELECT length('" + literal + "')")
                .bind("", "")
                .execute("", 0)
                .sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("" + literal.length()));
    }

    @Test
    void keepsOthersGoingWhileOneDoesNotRead() {
        client.query("SELECT repeat('x', 10000) FROM generate_series(1, 20000)").flushOut();
        try (RawClient other = endpoint.login()) {
            for (int i = 0; i < 200; i++) {
                assertThat(other.value("SELECT " + i)).isEqualTo("" + i);
            }
        }
        assertThat(Message.rows(client.readUntilReady())).hasSize(20_000);
    }

    @Test
    void doesNotLockUpWhenBothSidesWriteBeforeTheyRead() {
        int queries = 2_000;
        CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> {
            byte[] query = new MessageWriter()
                    .string("SELECT repeat('y', 5000), '" + "z".repeat(5_000) + "'")
                    .toMessage('Q');
            for (int i = 0; i < queries; i++) {
                client.push(query);
            }
        });
        Eventually.holds("something to read", client::hasInput);
        for (int i = 0; i < queries; i++) {
            assertThat(Message.types(client.readUntilReady())).isEqualTo("TDCZ");
        }
        writing.join();
    }

    @Test
    void runsLongPipelineOfBatches() {
        client.parse("s", "INSERT INTO t VALUES ($1, $2)").sync().readUntilReady();
        int batches = 5_000;
        for (int i = 0; i < batches; i++) {
            client.bind("", "s", "" + i, "filler").execute("", 0);
            if (i % 10 == 9) {
                client.sync();
            }
        }
        for (int i = 0; i < batches / 10; i++) {
            assertThat(Message.types(client.readUntilReady())).isEqualTo("2C".repeat(10) + "Z");
        }
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("" + batches);
    }

    @Test
    void keepsMessageWholeBehindMoreRepliesThanMayBeOwed() {
        int owedMax = 10_000; // of the proxy; the large message is the one too many
        client.parse("s", "SELECT length($1), $1 = repeat('v', 18000000)").parse("slow", "SELECT pg_sleep(1)");
        client.bind("", "slow").execute("", 0);
        int pairs = (owedMax - 4) / 2;
        for (int i = 0; i < pairs; i++) {
            client.bind("", "s", "v").execute("", 0);
        }
        byte[] large = new MessageWriter()
                .string("")
                .string("s")
                .int16(0)
                .int16(1)
                .int32(18_000_000)
                .bytes("v".repeat(18_000_000).getBytes(StandardCharsets.US_ASCII))
                .int16(0)
                .toMessage('B');
        client.raw(Arrays.copyOf(large, 9_000_000)).flushOut();
        try (RawClient other = endpoint.login()) {
            assertThat(other.value("SELECT 1")).isEqualTo("1"); // the first half is on its way
        }
        client.raw(Arrays.copyOfRange(large, 9_000_000, large.length));
        client.execute("", 0).sync();
        List<Message> answer = client.readUntilReady();
        assertThat(Message.types(answer)).isEqualTo("11" + "2DC".repeat(pairs + 2) + "Z");
        assertThat(answer.get(answer.size() - 3).columns()).containsExactly("18000000", "t");
    }

    @Test
    void rollsBackWhatClientLeavesOpenWhenItGoesAway() {
        String schema = client.value("SELECT current_schema");
        List<RawClient> leaving = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            RawClient one = endpoint.login("search_path", schema);
            one.run("BEGIN");
            one.run("INSERT INTO t VALUES (1, 'x')");
            leaving.add(one);
        }
        leaving.get(0).close();
        leaving.get(1).reset();
        leaving.get(2).terminate().flushOut();
        leaving.get(3).shutdownOutput();
        leaving.get(4)
                .query("SELECT count(*) FROM t; SELECT pg_sleep(0.2)")
                .flushOut()
                .reset();
        Eventually.passes(() -> assertThat(client.value("SELECT count(*) FROM pg_locks WHERE relation = '" + schema
                        + ".t'::regclass AND " + "mode = 'RowExclusiveLock'"))
                .isEqualTo("0"));
        assertThat(client.value("SELECT count(*) FROM t")).isEqualTo("0");
        leaving.forEach(RawClient::close);
    }

    @Test
    void stopsQueryOfClientThatHasGoneAway() {
        if (endpoint == Endpoint.SERVER) {
            return; // a plain server notices only when it writes
        }
        String schema = client.value("SELECT current_schema");
        for (int i = 0; i < 2; i++) {
            RawClient leaving = endpoint.login("search_path", schema);
            leaving.query("SELECT pg_sleep(60), count(*) FROM t").flushOut();
            awaitSleepers("1");
            if (i == 0) {
                leaving.reset();
            } else {
                leaving.shutdownOutput();
            }
            awaitSleepers("0");
            leaving.close();
        }
    }

    private void awaitSleepers(String count) {
        Eventually.passes(
                () -> assertThat(client.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
                        .isEqualTo(count));
    }
}
