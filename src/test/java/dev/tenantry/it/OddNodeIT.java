package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.pool.PinReason;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.FakeNode;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client sees when its node says what nodes seldom say, or goes away at a bad moment. */
class OddNodeIT extends ScriptedNodes {

    @Test
    void sendsStartupParametersOnAndSettingsOfItsOwn() {
        FakeNode node = FakeNode.start(peer -> {
            Map<String, String> startup = peer.acceptTrusting(1, 2);
            peer.expect('Q');
            peer.describeRow("options", "name");
            peer.row(startup.getOrDefault("options", ""), startup.getOrDefault("application_name", ""));
            peer.complete("SELECT 1");
            peer.ready('I');
            peer.expect('X');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.connect()) {
            client.signIn(
                    RawClient.PROTOCOL_3_0,
                    "tenantry",
                    Map.of(
                            "user",
                            "tenantry",
                            "database",
                            "tenantry",
                            "application_name",
                            "a b",
                            "options",
                            "-c x.y=1"));
            List<String> row = Message.rows(client.run("SELECT 1")).getFirst().stream()
                    .map(String::valueOf)
                    .toList();
            assertThat(row.getFirst())
                    .startsWith("-c citus.enable_schema_based_sharding=on")
                    .endsWith(" -c x.y=1");
            assertThat(row.getLast()).isEqualTo("a b");
            leave(client);
        }
    }

    @Test
    void passesOnWhatNodeSaysBetweenStatements() {
        CountDownLatch quiet = new CountDownLatch(1);
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            await(quiet);
            peer.parameter("TimeZone", "Asia/Tokyo");
            peer.send(
                    'N',
                    new MessageWriter()
                            .int8('S')
                            .string("WARNING")
                            .int8('C')
                            .string("01000")
                            .int8('M')
                            .string("soon")
                            .int8(0));
            peer.send('A', new MessageWriter().int32(1).string("channel").string("payload"));
            answer(peer);
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            quiet.countDown();
            assertThat(client.read().strings()).containsExactly("TimeZone", "Asia/Tokyo");
            assertThat(Message.types(client.readUntil('A'))).isIn("A", "NA");
            assertThat(client.value("SELECT 1")).isEqualTo("1");
        }
    }

    /** Another session waits for the connection, so the node is asked whether it is free; it is not. */
    @Test
    void passesOnNotificationsThatComeWhileTheNodeIsAskedWhatIsThere() {
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            peer.expect('Q');
            peer.send('A', new MessageWriter().int32(1).string("channel").string("payload"));
            peer.row(PinReason.LISTEN.text());
            peer.complete("SELECT 1");
            peer.ready('I');
            peer.awaitEnd();
        });
        PoolLimits one = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, 500, 100));
        try (ProxyBefore proxy = new ProxyBefore(LIMITS.withPool(one), node);
                RawClient listening = proxy.login()) {
            CompletableFuture<RawClient> other = CompletableFuture.supplyAsync(proxy::login);
            assertThat(listening.read().text()).contains("channel", "payload");
            assertThat(other).failsWithin(Duration.ofSeconds(10));
        }
    }

    @Test
    void goesOnAfterNodeHasEndedIdleConnection() {
        CountDownLatch ended = new CountDownLatch(1);
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            if (ended.getCount() > 0) {
                peer.error("FATAL", "57P01", "terminating connection due to administrator command");
                ended.countDown();
            } else {
                answer(peer);
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            await(ended);
            // The end may be noticed before the statement or by it; a statement that was lost fails, the next works.
            Eventually.passes(() -> assertThat(client.value("SELECT 1")).isEqualTo("1"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fatal", "gone", "gone in a row"})
    void tellsClientWhenNodeGoesAwayInStatement(String how) {
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            peer.expect('Q');
            peer.describeRow("a");
            peer.row("1");
            switch (how) {
                case "fatal" -> peer.error("FATAL", "57P01", "terminating connection due to administrator command");
                case "gone in a row" -> peer.raw(new byte[] {'D', 0, 0, 1, 0, 0, 1});
                default -> {
                    // closes
                }
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            client.query("SELECT a FROM b").flushOut();
            if (how.equals("gone in a row")) {
                // The row can't be taken back: the client's connection ends in the middle of it, like the node's.
                assertThat(Message.types(client.readUntil('T'))).isEqualTo("T");
                assertThat(Message.types(client.readToEnd()))
                        .startsWith("D")
                        .doesNotContain("C")
                        .doesNotContain("Z");
            } else {
                List<Message> answer = client.readUntil('E');
                assertThat(Message.types(answer)).isEqualTo("TDE");
                assertThat(answer.getLast().sqlState()).isEqualTo(how.equals("fatal") ? "57P01" : "08006");
            }
        }
    }

    @Test
    void failsTransactionWhoseNodeHasGoneAway() {
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            peer.begins();
            peer.expect('Q');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            List<Message> lost = client.run("SELECT 1");
            assertThat(Message.only(lost, 'E').sqlState()).startsWith("08");
            assertThat((char) lost.getLast().body()[0]).isEqualTo('E');
            assertThat(Message.only(client.run("SELECT 1"), 'E').sqlState()).isEqualTo("25P02");
            assertThat(Message.only(client.run("COMMIT"), 'C').strings()).containsExactly("ROLLBACK");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"unasked", "length", "negative length"})
    void endsConnectionToNodeThatBreaksTheProtocol(String how) {
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            peer.expect('Q');
            switch (how) {
                case "unasked" -> {
                    peer.complete("SELECT 0");
                    peer.ready('I');
                    peer.ready('I');
                }
                case "length" -> peer.raw(new byte[] {'T', 0, 0, 0, 3});
                default -> peer.raw(new byte[] {'C', -1, -1, -1, -1});
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            for (int i = 0; i < 3; i++) {
                List<Message> answer = client.run("SELECT 1");
                assertThat(Message.types(answer)).isIn("CZ", "EZ");
                if (!how.equals("unasked")) {
                    assertThat(Message.only(answer, 'E').sqlState()).startsWith("08");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(chars = {'z', '@', '\0', 'Q', 'R', 'K', 'v', 'W'})
    void passesOnNothingThatTheProtocolDoesNotHave(char type) {
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            peer.expect('Q');
            peer.describeRow("a");
            peer.send(type, new MessageWriter().int32(0));
            peer.expectEnd();
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            List<Message> answer = client.run("SELECT 1");
            assertThat(Message.types(answer)).isEqualTo("TEZ");
            assertThat(answer.get(1).sqlState()).isEqualTo("08006");
            assertThat(answer.get(1).fields().get('D')).contains("that nothing asked for");
        }
    }

    @ParameterizedTest
    @ValueSource(chars = {'D', 'd', 'Z', 'T'})
    void passesOnNothingThatWasNotAskedFor(char type) {
        AtomicInteger connections = new AtomicInteger();
        FakeNode node = FakeNode.start(peer -> {
            peer.acceptTrusting(1, 2);
            if (connections.getAndIncrement() == 0) {
                peer.send(type, type == 'Z' ? new MessageWriter().int8('T') : new MessageWriter().int16(0));
                peer.awaitEnd(); // the statement may be on its way
            } else {
                answer(peer);
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                RawClient client = proxy.login()) {
            String types = "";
            for (int i = 0; i < 3 && !types.equals("TDCZ"); i++) {
                List<Message> answer = client.run("SELECT 1");
                types = Message.types(answer);
                assertThat(types).isIn("TDCZ", "EZ"); // the connection may end before the statement or with it
                assertThat((char) answer.getLast().body()[0]).isEqualTo('I');
            }
            assertThat(types).isEqualTo("TDCZ");
        }
    }

    @Test
    void saysWhatIsWrongWithNodesAuthentication() {
        for (int method : new int[] {3, 5, 7}) {
            FakeNode node = FakeNode.start(peer -> {
                peer.readStartup();
                peer.send('R', new MessageWriter().int32(method).int32(0));
                peer.expectEnd();
            });
            try (ProxyBefore proxy = new ProxyBefore(LIMITS, node);
                    RawClient client = proxy.connect()) {
                Message error = client.trySignIn(
                                RawClient.PROTOCOL_3_0, "tenantry", Map.of("user", "tenantry", "database", "tenantry"))
                        .getFirst();
                assertThat(error.sqlState()).isEqualTo("28000");
                assertThat(error.errorMessage()).contains("only SCRAM-SHA-256 is possible");
                assertThat(error.fields()).containsKey('H');
            }
        }
    }

    @Test
    void givesUpOnClientThatDoesNotSignIn() {
        FakeNode node = FakeNode.start(peer -> peer.acceptTrusting(1, 2));
        ProxyLimits hasty = new ProxyLimits(
                1,
                LIMITS.connectionsMax(),
                300,
                LIMITS.connectTimeoutMillis(),
                LIMITS.queryLengthMax(),
                LIMITS.statementCacheBytesMax(),
                LIMITS.pauseWaitTimeoutMillis(),
                LIMITS.pool());
        try (ProxyBefore proxy = new ProxyBefore(hasty, node);
                RawClient silent = proxy.connect();
                RawClient slow = proxy.connect();
                RawClient halfway = proxy.connect()) {
            halfway.startup(RawClient.PROTOCOL_3_0, Map.of("user", "tenantry", "database", "tenantry"));
            assertThat(halfway.read().type()).isEqualTo('R');
            CompletableFuture<List<Message>> toldSlow = CompletableFuture.supplyAsync(slow::readToEnd);
            byte[] endless = new MessageWriter().bytes(new byte[5000]).toStartupPacket();
            AtomicInteger next = new AtomicInteger();
            Eventually.holds("the end of one that sends byte by byte", () -> {
                if (!toldSlow.isDone()) {
                    slow.push(new byte[] {endless[next.getAndIncrement()]});
                }
                return toldSlow.isDone();
            });
            assertThat(toldSlow.join()).allMatch(message -> message.sqlState().equals("57014"));
            for (RawClient client : List.of(silent, halfway)) {
                assertThat(client.readToEnd())
                        .allMatch(message -> message.sqlState().equals("57014"));
            }
        }
    }

    @Test
    void refusesMoreClientsThanAllowed() {
        FakeNode node = FakeNode.start(peer -> peer.acceptTrusting(1, 2));
        ProxyLimits narrow = new ProxyLimits(
                1,
                2,
                LIMITS.authenticationTimeoutMillis(),
                LIMITS.connectTimeoutMillis(),
                LIMITS.queryLengthMax(),
                LIMITS.statementCacheBytesMax(),
                LIMITS.pauseWaitTimeoutMillis(),
                LIMITS.pool());
        try (ProxyBefore proxy = new ProxyBefore(narrow, node);
                RawClient one = proxy.connect();
                RawClient two = proxy.connect()) {
            one.requestSsl();
            two.requestSsl();
            try (RawClient three = proxy.connect()) {
                Message error = three.read();
                assertThat(error.sqlState()).isEqualTo("53300");
            }
            one.reset();
            Eventually.passes(() -> {
                try (RawClient again = proxy.connect()) {
                    assertThat(again.requestSsl()).isEqualTo('N');
                }
            });
        }
    }

    private static void answer(FakeNode.Peer peer) throws IOException {
        peer.expect('Q');
        peer.describeRow("a");
        peer.row("1");
        peer.complete("SELECT 1");
        peer.ready('I');
        peer.expect('X');
    }
}
