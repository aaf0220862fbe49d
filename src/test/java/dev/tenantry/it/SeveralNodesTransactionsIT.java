package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Transactions that write to schemas of several nodes: to the client they are as those of one server. */
class SeveralNodesTransactionsIT extends SeveralNodes {
    private static final int WORKER_2 = 2;

    @BeforeEach
    void addConstraints() {
        for (int i = 1; i <= 2; i++) {
            client.run("ALTER TABLE several_" + i + ".t ADD CONSTRAINT one_id UNIQUE (id)"
                    + " DEFERRABLE INITIALLY IMMEDIATE");
        }
    }

    // --- ends

    @Test
    void commitsBlockOnBothNodes() throws SQLException {
        writeBoth();
        try (RawClient other = login()) {
            assertThat(other.value("SELECT count(*) FROM several_2.t")).isEqualTo("0");
        }
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
        assertNothingIsLeft();
    }

    @Test
    void rollsBlockBackOnBothNodes() throws SQLException {
        writeBoth();
        assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
        assertThat(rows(1) + rows(2)).isEqualTo("00");
        assertNothingIsLeft();
    }

    @Test
    void rollsBackBothNodesWhereOneHasFailed() {
        writeBoth();
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("23505 E");
        assertThat(outcome("INSERT INTO several_1.t VALUES (2)")).isEqualTo("25P02 E");
        assertThat(outcome("SAVEPOINT s")).isEqualTo("25P02 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        assertThat(rows(1) + rows(2)).isEqualTo("00");
    }

    @Test
    void undoesBothNodesWhereADeferredConstraintFailsAtCommit() throws SQLException {
        client.run("INSERT INTO several_1.t VALUES (7)");
        client.run("BEGIN");
        client.run("SET CONSTRAINTS ALL DEFERRED");
        client.run("INSERT INTO several_1.t VALUES (7)");
        client.run("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome("COMMIT")).isEqualTo("23505 I");
        assertThat(rows(1) + rows(2)).isEqualTo("10");
        assertNothingIsLeft();
    }

    @Test
    void looksForPreparedTransactionsWhenAsked() {
        assertThat(client.value("SELECT recover_prepared_transactions()")).isEqualTo("0");
    }

    @Test
    void chainsBlocksOverBothNodes() {
        writeBoth();
        assertThat(outcome("COMMIT AND CHAIN")).isEqualTo("COMMIT T");
        client.run("INSERT INTO several_1.t VALUES (2)");
        client.run("INSERT INTO several_2.t VALUES (2)");
        assertThat(outcome("ROLLBACK AND CHAIN")).isEqualTo("ROLLBACK T");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
    }

    @Test
    void refusesToPrepareForTheClientWhatSeveralNodesHaveWritten() {
        writeBoth();
        assertThat(outcome("PREPARE TRANSACTION 'several'")).isEqualTo("0A000 E");
        assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
    }

    // --- batches and strings

    @Test
    void runsStringOverBothNodesAsOneTransaction() {
        assertThat(outcome("INSERT INTO several_1.t VALUES (1); INSERT INTO several_2.t VALUES (1)"))
                .isEqualTo("INSERT 0 1, INSERT 0 1 I");
        assertThat(outcome("INSERT INTO several_1.t VALUES (2); INSERT INTO several_2.t VALUES (1)"))
                .isEqualTo("INSERT 0 1, 23505 I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
    }

    @Test
    void runsBatchOverBothNodesAsOneTransaction() {
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, INSERT 0 1 I");
        execute("INSERT INTO several_1.t VALUES (2)");
        execute("INSERT INTO several_2.t VALUES (1)");
        execute("INSERT INTO several_1.t VALUES (3)");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, 23505 I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
    }

    // --- what a late node is given

    @Test
    void givesALateNodeTheModesOfTheTransaction() {
        client.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
        client.run("INSERT INTO several_1.t VALUES (1)");
        assertThat(on(WORKER_2, "transaction_isolation")).isEqualTo("serializable");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        client.run("BEGIN READ ONLY");
        client.run("SELECT FROM several_1.t");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("25006 E");
        client.run("ROLLBACK");
    }

    @Test
    void givesALateNodeTheOpenSavepoints() {
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("SAVEPOINT far");
        client.run("INSERT INTO several_1.t VALUES (2)");
        client.run("SAVEPOINT near");
        client.run("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome("ROLLBACK TO near")).isEqualTo("ROLLBACK T");
        client.run("INSERT INTO several_2.t VALUES (2)");
        assertThat(outcome("RELEASE near")).isEqualTo("RELEASE T");
        assertThat(outcome("INSERT INTO several_2.t VALUES (2)")).isEqualTo("23505 E");
        assertThat(outcome("ROLLBACK TO far")).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("10");
    }

    @Test
    void givesALateNodeTheDeferralOfConstraints() {
        client.run("INSERT INTO several_2.t VALUES (7)");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("SET CONSTRAINTS ALL DEFERRED");
        assertThat(outcome("INSERT INTO several_2.t VALUES (7)")).isEqualTo("INSERT 0 1 T");
        assertThat(outcome("SET CONSTRAINTS ALL IMMEDIATE")).isEqualTo("23505 E");
        client.run("ROLLBACK");
        assertThat(rows(1) + rows(2)).isEqualTo("01");
    }

    // --- cursors and portals

    @Test
    void findsACursorOnItsNode() {
        client.run("INSERT INTO several_1.t VALUES (1), (2)");
        client.run("BEGIN");
        client.run("DECLARE c CURSOR FOR SELECT id FROM several_1.t ORDER BY id");
        client.run("INSERT INTO several_2.t VALUES (9)");
        assertThat(client.value("FETCH NEXT FROM c")).isEqualTo("1");
        client.run("INSERT INTO several_2.t VALUES (10)");
        execute("FETCH NEXT FROM c");
        assertThat(Message.rows(client.sync().readUntilReady())).containsExactly(List.of("2"));
        client.run("INSERT INTO several_2.t VALUES (11)");
        assertThat(outcome("DECLARE c CURSOR FOR SELECT id FROM several_2.t")).isEqualTo("42P03 E");
        client.run("ROLLBACK");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void closesCursorsOnBothNodes() {
        client.run("BEGIN");
        client.run("DECLARE one CURSOR FOR SELECT id FROM several_1.t");
        client.run("DECLARE two CURSOR FOR SELECT id FROM several_2.t");
        assertThat(outcome("CLOSE ALL")).isEqualTo("CLOSE CURSOR ALL T");
        assertThat(outcome("DECLARE one CURSOR FOR SELECT id FROM several_2.t")).isEqualTo("DECLARE CURSOR T");
        assertThat(outcome("CLOSE one")).isEqualTo("CLOSE CURSOR T");
        assertThat(outcome("FETCH two")).isEqualTo("34000 E");
        client.run("ROLLBACK");
    }

    @Test
    void closesCursorsOnBothNodesByTheExtendedProtocol() {
        client.run("BEGIN");
        client.run("DECLARE one CURSOR FOR SELECT id FROM several_1.t");
        client.run("DECLARE two CURSOR FOR SELECT id FROM several_2.t");
        execute("CLOSE ALL");
        assertThat(outcome(client.sync())).isEqualTo("CLOSE CURSOR ALL T");
        assertThat(outcome("DECLARE one CURSOR FOR SELECT id FROM several_1.t")).isEqualTo("DECLARE CURSOR T");
        client.run("ROLLBACK");
        client.run("BEGIN");
        client.run("DECLARE one CURSOR FOR SELECT id FROM several_1.t");
        execute("CLOSE ALL");
        assertThat(outcome(client.sync())).isEqualTo("CLOSE CURSOR ALL T");
        assertThat(outcome("FETCH one")).isEqualTo("34000 E");
        client.run("ROLLBACK");
    }

    @Test
    void givesBothNodesTheModesByTheExtendedProtocol() {
        writeBoth();
        execute("SET TRANSACTION READ ONLY");
        assertThat(outcome(client.sync())).isEqualTo("SET T");
        client.run("SAVEPOINT s");
        for (int node = 1; node <= 2; node++) {
            assertThat(outcome("INSERT INTO several_" + node + ".t VALUES (2)")).isEqualTo("25006 E");
            client.run("ROLLBACK TO s");
        }
        client.run("ROLLBACK");
        client.run("BEGIN");
        execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
        assertThat(outcome(client.sync())).isEqualTo("SET T");
        assertThat(on(WORKER_2, "transaction_isolation")).isEqualTo("serializable");
        client.run("ROLLBACK");
    }

    @Test
    void beginsABlockBehindTheEndOfAFailedOneInTheSameBatch() {
        client.run("BEGIN");
        client.run("SELECT 1/0 FROM several_1.t RIGHT JOIN (SELECT 1) one ON true");
        for (String sql : List.of("ROLLBACK", "BEGIN", "SAVEPOINT s", "INSERT INTO several_1.t VALUES (1)", "COMMIT")) {
            execute(sql);
        }
        assertThat(outcome(client.sync())).isEqualTo("ROLLBACK, BEGIN, SAVEPOINT, INSERT 0 1, COMMIT I");
        assertThat(rows(1)).isEqualTo("1");
    }

    @Test
    void goesOnWithASuspendedPortalOnItsNode() {
        client.run("INSERT INTO several_1.t VALUES (1), (2)");
        client.run("BEGIN");
        client.parse("", "SELECT id FROM several_1.t ORDER BY id")
                .bind("p", "")
                .execute("p", 1)
                .sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("1"));
        client.run("INSERT INTO several_2.t VALUES (9)");
        client.parse("", "SELECT id FROM several_2.t").bind("p", "").sync();
        assertThat(outcome(client)).isEqualTo("42P03 E");
        client.run("ROLLBACK");
        client.run("BEGIN");
        client.parse("", "SELECT id FROM several_1.t ORDER BY id")
                .bind("p", "")
                .execute("p", 1)
                .sync()
                .readUntilReady();
        client.run("INSERT INTO several_2.t VALUES (9)");
        client.execute("p", 1).sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("2"));
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(2)).isEqualTo("1");
    }

    /** What reads no table could run again elsewhere, but not from the middle. */
    @Test
    void staysWithASuspendedPortalThatReadsNoTable() {
        client.run("BEGIN");
        client.parse("", "SELECT generate_series(1, 3)")
                .bind("p", "")
                .execute("p", 1)
                .sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("1"));
        client.run("INSERT INTO several_2.t VALUES (9)");
        client.execute("p", 1).sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("2"));
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(2)).isEqualTo("1");
    }

    // --- what can't be prepared

    @Test
    void decidesOnTheNodeWhosePartCanNotBePrepared() throws SQLException {
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("CREATE TEMP TABLE mine AS SELECT 1 AS id");
        client.run("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
        client.run("SELECT FROM several_1.t");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (2)");
        client.run("DECLARE held CURSOR WITH HOLD FOR SELECT 1");
        client.run("INSERT INTO several_2.t VALUES (2)");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (3)");
        client.run("NOTIFY several");
        client.run("INSERT INTO several_2.t VALUES (3)");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("33");
        assertNothingIsLeft();
    }

    /** The node tells its own session while it carries out the commit. */
    @Test
    void hearsItsOwnNotificationOfATransactionOverBothNodes() {
        client.run("SET search_path TO several_1");
        client.run("LISTEN several");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("NOTIFY several, 'mine'");
        client.run("INSERT INTO several_2.t VALUES (1)");
        List<Message> answer = client.run("COMMIT");
        assertThat(Message.only(answer, 'C').strings()).containsExactly("COMMIT");
        assertThat(Message.only(answer, 'A').text()).contains("several", "mine");
    }

    @Test
    void decidesOnTheNodeThatABatchHasNotifiedBeforeItWasABlock() {
        client.run("SET search_path TO several_1");
        execute("NOTIFY several");
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome(client.sync())).isEqualTo("NOTIFY, INSERT 0 1, INSERT 0 1 I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
    }

    @Test
    void refusesToCommitTwoPartsThatCanNotBePrepared() throws SQLException {
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("NOTIFY several");
        client.run("INSERT INTO several_2.t VALUES (1)");
        client.run("CREATE TEMP TABLE mine AS SELECT id FROM several_2.t");
        List<Message> answer = client.run("COMMIT");
        Message error = Message.only(answer, 'E');
        assertThat(error.sqlState()).isEqualTo("0A000");
        assertThat(error.fields().get('D'))
                .contains("worker1", "LISTEN, UNLISTEN or NOTIFY", "worker2", "temporary objects");
        assertThat(answer.getLast().text()).isEqualTo("I");
        assertThat(rows(1) + rows(2)).isEqualTo("00");
        assertNothingIsLeft();
    }

    private void writeBoth() {
        client.run("BEGIN");
        assertThat(outcome("INSERT INTO several_1.t VALUES (1)")).isEqualTo("INSERT 0 1 T");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("INSERT 0 1 T");
    }

    private void assertNothingIsLeft() throws SQLException {
        assertThat(prepared()).as("prepared transactions").isZero();
    }
}
