package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.FakeNode;
import dev.tenantry.support.Message;
import dev.tenantry.support.ProxyBefore;
import dev.tenantry.support.RawClient;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What becomes of a transaction of the proxy's making when a cancel, a failure or a loss comes at a bad moment of its
 * statements or of its end: whatever the client is told, no node is left in a block that nobody will end.
 */
class ScriptedCommitsIT extends ScriptedNodes {

    @Test
    void rollsBackWhereACancelKeptTheOnlyCommitFromBeginning() {
        FakeNode home = cancellable(peer -> {
            peer.begins();
            answer(peer, "SELECT", 'T');
            answer(peer, "PREPARE", 'T');
            expect(peer, "COMMIT");
            reached.countDown();
            await(cancelled);
            cancel(peer); // before COMMIT has begun, so that the block is still open
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            client.query("SELECT 1; PREPARE p AS SELECT 2").flushOut();
            await(reached);
            cancel(proxy, client);
            assertThat(said(client)).isEqualTo("SELECT 57014 I");
            assertThat(said(client.query("SELECT 3"))).isEqualTo("SELECT I");
            leave(client);
        }
    }

    @Test
    void cancelsClusterStatementBetweenItsNodes() {
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, slowToCreateRole(), untouched());
                RawClient client = proxy.login()) {
            client.query("CREATE ROLE jim").flushOut();
            await(reached);
            cancel(proxy, client);
            assertThat(said(client)).isEqualTo("57014 I");
            assertThat(said(client.query("SELECT 1"))).isEqualTo("SELECT I");
            leave(client);
        }
    }

    @Test
    void failsBlockWhoseClusterStatementIsCancelledBetweenItsNodes() {
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, slowToCreateRole(), untouched());
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.query("CREATE ROLE jim").flushOut();
            await(reached);
            cancel(proxy, client);
            assertThat(said(client)).isEqualTo("57014 E");
            assertThat(said(client.query("CREATE ROLE joe"))).isEqualTo("25P02 E");
            assertThat(said(client.query("COMMIT"))).isEqualTo("ROLLBACK I");
            assertThat(said(client.query("SELECT 1"))).isEqualTo("SELECT I");
            leave(client);
        }
    }

    @Test
    void failsBlockThatACancelKeptFromMoving() {
        FakeNode home = cancellable(peer -> {
            peer.begins();
            answer(peer, "SHOW", 'T');
            expect(peer, "ROLLBACK"); // the block goes to another node
            reached.countDown();
            await(cancelled);
            cancel(peer);
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, untouched());
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.run("SHOW work_mem");
            client.query("SELECT FROM s2.t").flushOut();
            await(reached);
            cancel(proxy, client);
            assertThat(said(client)).isEqualTo("57014 E");
            assertThat(said(client.query("SELECT FROM s2.t"))).isEqualTo("25P02 E");
            assertThat(said(client.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
            assertThat(said(client.query("SELECT 1"))).isEqualTo("SELECT I");
            leave(client);
        }
    }

    /** To a server, what comes behind a BEGIN that has failed would be no part of a block. */
    @ParameterizedTest
    @ValueSource(strings = {"Q", "PBES", "QQ", "PBESPBES"})
    void runsNothingBehindABeginThatACancelHasMet(String batches) {
        boolean simple = batches.startsWith("Q");
        boolean twice = batches.length() > (simple ? 1 : 4);
        FakeNode home = node(peer -> {
            if (connections.getAndIncrement() > 0) {
                answer(peer, "SELECT", 'I');
                peer.expect('X');
                return;
            }
            peer.expectAll("PBEC"); // BEGIN
            peer.expectAll(simple ? "Q" : "PBES");
            peer.error("ERROR", "57014", "canceling statement due to user request");
            peer.expectEnd();
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            for (int i = 0; i < (twice ? 2 : 1); i++) {
                String sql = "DELETE FROM t";
                RawClient batch = simple
                        ? client.query(sql)
                        : client.parse("", sql).bind("", "").execute("", 0).sync();
                batch.flushOut();
            }
            assertThat(said(client)).isEqualTo("57014 E");
            if (twice) {
                assertThat(said(client)).isEqualTo("25P02 E");
            }
            assertThat(said(client.query("DELETE FROM t"))).isEqualTo("25P02 E");
            assertThat(said(client.query("COMMIT"))).isEqualTo("ROLLBACK I");
            assertThat(said(client.query("SELECT 3"))).isEqualTo("SELECT I");
            leave(client);
        }
    }

    @Test
    void rollsBackAllWhereACancelKeptTheCommitOfTheWriterFromBeginning() {
        FakeNode home = node(peer -> {
            createRole(peer, "7");
            expect(peer, "COMMIT");
            cancel(peer);
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        FakeNode reader = node(peer -> {
            createRole(peer, null);
            answer(peer, "ROLLBACK", 'I');
            peer.expect('X');
        });
        assertThat(creatingRole(home, reader)).isEqualTo("57014 I");
    }

    @Test
    void rollsBackReaderWhereACancelKeptItsCommitFromBeginning() {
        FakeNode home = node(peer -> {
            createRole(peer, "7");
            answer(peer, "COMMIT", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        FakeNode reader = node(peer -> {
            createRole(peer, null);
            expect(peer, "COMMIT");
            cancel(peer);
            answer(peer, "ROLLBACK", 'I');
            peer.expect('X');
        });
        assertThat(creatingRole(home, reader)).isEqualTo("CREATE ROLE I");
    }

    @Test
    void undoesWhatIsPreparedWhereACancelKeptTheDecisionFromBeginning() {
        FakeNode home = node(peer -> {
            createRole(peer, "7");
            expect(peer, "SELECT tenantry.record_commit");
            cancel(peer);
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        FakeNode other = node(peer -> {
            createRole(peer, "8");
            answer(peer, "PREPARE TRANSACTION", 'I');
            expect(peer, "ROLLBACK PREPARED");
            peer.error("ERROR", "57014", "canceling statement due to user request"); // late, but not too late to hurt
            peer.ready('I');
            answer(peer, "ROLLBACK PREPARED", 'I');
            peer.expect('X');
        });
        assertThat(creatingRole(home, other)).isEqualTo("57014 I");
    }

    @Test
    void rollsBackAllWhereACancelKeptThePreparationFromBeginning() {
        FakeNode home = node(peer -> {
            createRole(peer, "7");
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        FakeNode other = node(peer -> {
            createRole(peer, "8");
            expect(peer, "PREPARE TRANSACTION");
            cancel(peer);
            answer(peer, "ROLLBACK", 'I');
            peer.expect('X');
        });
        assertThat(creatingRole(home, other)).isEqualTo("57014 I");
    }

    @Test
    void rollsBackAgainWhatACancelHasKeptFromRollingBack() {
        FakeNode home = node(peer -> {
            answer(peer, "BEGIN", 'T');
            expect(peer, "CREATE ROLE");
            peer.error("ERROR", "42710", "role \"jim\" already exists");
            peer.ready('E');
            expect(peer, "ROLLBACK");
            cancel(peer);
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        assertThat(creatingRole(home, untouched())).isEqualTo("42710 I");
    }

    @Test
    void endsConnectionThatCanNotBeRolledBack() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            if (connections.getAndIncrement() == 0) {
                answer(peer, "BEGIN", 'T');
                expect(peer, "CREATE ROLE");
                peer.error("ERROR", "42710", "role \"jim\" already exists");
                peer.ready('E');
                for (int i = 0; i < 3; i++) {
                    expect(peer, "ROLLBACK");
                    cancel(peer);
                }
                peer.expectEnd();
            } else {
                answer(peer, "SELECT", 'I');
                peer.expect('X');
            }
        });
        assertThat(creatingRole(home, untouched())).isEqualTo("42710 I");
    }

    @Test
    void leavesNoReaderInTheBlockWhoseDeciderIsLost() {
        FakeNode home = node(peer -> {
            createRole(peer, null);
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
        FakeNode first = node(peer -> {
            createRole(peer, "8");
            answer(peer, "PREPARE TRANSACTION", 'I');
            peer.expect('X');
        });
        FakeNode decider = node(peer -> {
            createRole(peer, "9");
            expect(peer, "SELECT tenantry.record_commit"); // and goes away
        });
        assertThat(creatingRole(home, first, decider)).isEqualTo("08007 I");
    }

    /** A server may prepare what it was told to when the connection has ended. */
    @ParameterizedTest
    @ValueSource(strings = {"PREPARE TRANSACTION", "ROLLBACK PREPARED"})
    void tellsWhatItCouldNotUndo(String last) {
        FakeNode home = node(peer -> {
            createRole(peer, "7");
            if (last.startsWith("ROLLBACK")) {
                expect(peer, "SELECT tenantry.record_commit");
                peer.error("ERROR", "53100", "could not extend file");
                peer.ready('E');
            }
            answer(peer, "ROLLBACK", 'I');
            peer.expect('X');
        });
        FakeNode other = node(peer -> {
            createRole(peer, "8");
            if (last.startsWith("ROLLBACK")) {
                answer(peer, "PREPARE TRANSACTION", 'I');
            }
            expect(peer, last); // and goes away
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, other);
                RawClient client = proxy.login()) {
            assertThat(said(client.query("CREATE ROLE jim"))).isIn("08006 I", "53100 I");
            assertThat(proxy.lostCommits()).containsValue(Set.of(2)).hasSize(1);
            leave(client);
        }
    }

    /** It may be frozen, or cut off without a word. */
    @Test
    void waitsForNoNodeThatDoesNotFinishWhatIsDecided() {
        FakeNode home = node(peer -> {
            createRole(peer, "7");
            expect(peer, "SELECT tenantry.record_commit");
            done(peer, "COMMIT", 'I');
            peer.expect('X');
        });
        FakeNode other = node(peer -> {
            if (connections.getAndIncrement() == 0) {
                createRole(peer, "8");
                answer(peer, "PREPARE TRANSACTION", 'I');
                expect(peer, "COMMIT PREPARED");
            }
            peer.awaitEnd();
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home, other);
                RawClient client = proxy.login()) {
            List<Message> answer = client.run("CREATE ROLE jim");
            assertThat(Message.said(answer)).isEqualTo("CREATE ROLE I");
            assertThat(Message.only(answer, 'N').sqlState()).isEqualTo("01000");
            leave(client);
        }
    }

    /** PostgreSQL would not be there to answer COMMIT; ROLLBACK as an answer would be missed by many clients. */
    @Test
    void tellsAtCommitThatTheNodeOfTheBlockIsLost() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            if (connections.getAndIncrement() == 0) {
                peer.begins();
                answer(peer, "DELETE", 'T'); // and goes away
            } else {
                answer(peer, "SELECT", 'I');
                peer.expect('X');
            }
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.run("DELETE FROM t");
            String told = said(client.query("COMMIT"));
            assertThat(told).startsWith("08006");
            if (told.endsWith("E")) { // it was on its way to the node
                assertThat(said(client.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
            }
            assertThat(said(client.query("SELECT 1"))).isEqualTo("SELECT I");
            leave(client);
        }
    }

    /** As PostgreSQL does, which looks for the statement before it looks at the block. */
    @Test
    void saysThatAStatementIsUnknownInABlockWhoseNodeIsLost() {
        FakeNode home = FakeNode.start(peer -> {
            peer.acceptTrusting(PROCESS_ID, SECRET_KEY);
            peer.begins();
            answer(peer, "DELETE", 'T'); // and goes away
        });
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, home);
                RawClient client = proxy.login()) {
            client.run("BEGIN");
            client.run("DELETE FROM t");
            assertThat(said(client.query("SELECT 1"))).isEqualTo("08006 E");
            assertThat(said(client.bind("", "unknown").execute("", 0).sync())).isEqualTo("26000 E");
            assertThat(said(client.describe('S', "unknown").sync())).isEqualTo("26000 E");
            assertThat(said(client.query("ROLLBACK"))).isEqualTo("ROLLBACK I");
            leave(client);
        }
    }

    // --- what nodes do ----------------------------------------------------------------------------------------------

    /** A node whose part in CREATE ROLE is over when the client has cancelled it, too late. */
    private FakeNode slowToCreateRole() {
        return cancellable(peer -> {
            answer(peer, "BEGIN", 'T');
            expect(peer, "CREATE ROLE");
            reached.countDown();
            await(cancelled);
            done(peer, "CREATE ROLE", 'T');
            answer(peer, "ROLLBACK", 'I');
            answer(peer, "SELECT", 'I');
            peer.expect('X');
        });
    }

    /** A node's part in CREATE ROLE up to its end; it has written as that transaction, or not. */
    private static void createRole(FakeNode.Peer peer, @Nullable String transaction) throws IOException {
        answer(peer, "BEGIN", 'T');
        answer(peer, "CREATE ROLE", 'T');
        String next = peer.expect('Q').strings().getFirst();
        if (next.startsWith("SELECT tenantry.catalog_changed")) {
            done(peer, "SELECT 1", 'T');
            next = peer.expect('Q').strings().getFirst();
        }
        assertThat(next).contains("tenantry.transaction_part");
        peer.row(transaction, "f", null);
        done(peer, "SELECT 1", 'T');
    }

    private static void cancel(FakeNode.Peer peer) throws IOException {
        peer.error("ERROR", "57014", "canceling statement due to user request");
        peer.ready('E');
    }

    // --- what the client does ---------------------------------------------------------------------------------------

    /** What CREATE ROLE is told; afterwards the session goes on, outside any block. */
    private static String creatingRole(FakeNode... nodes) {
        try (ProxyBefore proxy = new ProxyBefore(LIMITS, nodes);
                RawClient client = proxy.login()) {
            String said = said(client.query("CREATE ROLE jim"));
            assertThat(said(client.query("SELECT 1"))).isEqualTo("SELECT I");
            leave(client);
            return said;
        }
    }

    /** Tags and SQLSTATEs up to ReadyForQuery, and its status. */
    private static String said(RawClient client) {
        return Message.said(client.readUntilReady());
    }
}
