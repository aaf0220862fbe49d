package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One session that uses two nodes: errors, ends of blocks and pipelined batches mean what they mean on one server. */
class TwoNodeSessionIT {
    private final Cluster cluster = Cluster.shared();
    private final RawClient client = login();

    private RawClient login() {
        return cluster.login();
    }

    @BeforeEach
    void makeSchemas() {
        dropSchemas();
        for (int i = 1; i <= 2; i++) {
            client.run("SET tenantry.node = 'worker" + i + "'");
            client.run("CREATE SCHEMA two_" + i);
            client.run("CREATE TABLE two_" + i + ".t (id int)");
        }
        client.run("RESET tenantry.node");
        client.run("SELECT FROM two_1.t");
    }

    @AfterEach
    void leave() {
        client.close();
        try (RawClient other = login()) {
            dropSchemas(other);
        }
    }

    private void dropSchemas() {
        dropSchemas(client);
    }

    private static void dropSchemas(RawClient by) {
        for (String schema : List.of("two_1", "two_2", "two_3")) {
            by.run("DROP SCHEMA IF EXISTS " + schema + " CASCADE");
        }
    }

    @Test
    void leavesAFailedBlockFailedOnTheOtherNode() {
        assertThat(outcome("BEGIN")).isEqualTo("BEGIN T");
        assertThat(outcome("SELECT 1/0")).isEqualTo("22012 E");
        assertThat(outcome("INSERT INTO two_2.t VALUES (1)")).isEqualTo("25P02 E");
        assertThat(outcome("CREATE SCHEMA two_3")).isEqualTo("25P02 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void undoesTheBatchThatItRefusesToContinue() {
        execute("INSERT INTO two_1.t VALUES (1)");
        execute("SELECT FROM two_1.t, two_2.t");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, 0A000 I");
        assertThat(rows(1)).isEqualTo("0");
    }

    @Test
    void forgetsWhatARefusedBatchHasSet() {
        execute("SET application_name = 'refused'");
        execute("SELECT FROM two_1.t, two_2.t");
        client.sync().readUntilReady();
        assertThat(client.value("SELECT current_setting('application_name') FROM two_2.t RIGHT JOIN"
                        + " (SELECT 1) one ON true"))
                .isEmpty();
    }

    @Test
    void takesWhatABatchHasExecutedIntoTheTransactionOfItsDdl() {
        execute("INSERT INTO two_1.t VALUES (1)");
        execute("CREATE SCHEMA two_3");
        execute("CREATE SCHEMA two_1");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, CREATE SCHEMA, 42P06 I");
        assertThat(rows(1)).isEqualTo("0");
        execute("INSERT INTO two_1.t VALUES (1)");
        execute("CREATE SCHEMA two_3");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, CREATE SCHEMA I");
        assertThat(rows(1)).isEqualTo("1");
    }

    @Test
    void carriesOutNoDdlBehindAFailedStatementOfItsBatch() {
        execute("INSERT INTO two_1.t VALUES (1/0)");
        execute("CREATE SCHEMA two_3");
        assertThat(outcome(client.sync())).isEqualTo("22012 I");
        assertThat(outcome("CREATE SCHEMA two_3")).isEqualTo("CREATE SCHEMA I");
    }

    @Test
    void commitsDdlOfTheCoordinatorAloneFromWhereverTheSessionIs() {
        client.run("BEGIN");
        client.run("SET LOCAL tenantry.node = 'coordinator'");
        client.run("CREATE SCHEMA two_3");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        try (RawClient other = login()) {
            assertThat(other.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'two_3'"))
                    .isEqualTo("1");
        }
    }

    @Test
    void rollsBackABlockWhoseCoordinatorHasFailed() {
        client.run("BEGIN");
        client.run("CREATE ROLE two_role");
        client.run("SELECT 1/0");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
    }

    @Test
    void takesNoFailedSettingAlongToTheOtherNode() {
        client.run("BEGIN");
        client.run("SAVEPOINT s");
        assertThat(outcome("SET no_such_setting = 1")).isEqualTo("42704 E");
        client.run("ROLLBACK TO s");
        assertThat(outcome("INSERT INTO two_2.t VALUES (1)")).isEqualTo("INSERT 0 1 T");
        assertThat(outcome("ROLLBACK TO s")).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void takesASavepointOfTheExtendedProtocolAlong() {
        client.run("BEGIN");
        execute("SAVEPOINT s");
        assertThat(outcome(client.sync())).isEqualTo("SAVEPOINT T");
        assertThat(outcome("INSERT INTO two_2.t VALUES (1)")).isEqualTo("INSERT 0 1 T");
        execute("ROLLBACK TO s");
        assertThat(outcome(client.sync())).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void leavesAModeOfTheTransactionBehindWithIt() {
        client.run("BEGIN");
        client.run("SET transaction_isolation = 'serializable'");
        client.run("SELECT FROM two_1.t");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(outcome("SELECT FROM two_2.t")).isEqualTo("SELECT 0 I");
    }

    @Test
    void forgetsTheRoleWithANewSessionUser() {
        client.run("DROP ROLE IF EXISTS two_low, two_mid");
        client.run("CREATE ROLE two_low");
        client.run("CREATE ROLE two_mid");
        client.run("SET ROLE two_mid");
        client.run("SET SESSION AUTHORIZATION two_low");
        assertThat(client.value("SELECT current_user FROM pg_class WHERE relnamespace ="
                        + " (SELECT oid FROM pg_namespace WHERE nspname = 'two_2')"))
                .isEqualTo("two_low");
        client.run("RESET SESSION AUTHORIZATION");
        client.run("DROP ROLE two_low, two_mid");
    }

    @Test
    void endsAFailedOrFinishedBlockInTheMiddleOfAString() {
        client.run("BEGIN");
        assertThat(outcome("SELECT FROM two_1.t, two_2.t")).isEqualTo("0A000 E");
        assertThat(outcome("ROLLBACK; SELECT 1")).isEqualTo("ROLLBACK, SELECT 1 I");
        client.run("BEGIN");
        client.run("INSERT INTO two_1.t VALUES (1)");
        assertThat(outcome("COMMIT; INSERT INTO two_2.t VALUES (1)")).isEqualTo("COMMIT, INSERT 0 1 I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
    }

    @Test
    void copiesInsideAStringThatIsRunOneByOne() {
        client.run("SET tenantry.node = 'worker1'");
        client.query("CREATE SCHEMA two_3; COPY two_1.t FROM STDIN").readUntil('G');
        client.copyData("1\n").copyDone();
        assertThat(outcome(client)).isEqualTo("COPY 1 I");
        assertThat(rows(1)).isEqualTo("1");
    }

    @Test
    void preparesNoTransactionControlBehindAnErrorOfItsBatch() {
        execute("SELECT 1/0");
        execute("BEGIN");
        assertThat(outcome(client.sync())).isEqualTo("22012 I");
        client.bind("", "").execute("", 0);
        assertThat(outcome(client.sync())).isEqualTo("22012 I");
    }

    @Test
    void bindsNothingInAFailedBlockButItsEnd() {
        client.parse("begin", "BEGIN").parse("rollback", "ROLLBACK").sync().readUntilReady();
        client.run("BEGIN");
        client.run("SELECT 1/0");
        client.bind("", "begin").sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("EZ");
        client.bind("", "rollback").execute("", 0).sync();
        assertThat(outcome(client)).isEqualTo("ROLLBACK I");
    }

    @Test
    void answersAQueryBehindASettingWithoutSync() {
        execute("SET application_name = 'x'");
        assertThat(outcome(client.query("SELECT 1"))).startsWith("SET, SELECT 1");
        execute("SET application_name = 'y'");
        client.callFunction(1598); // random()
        assertThat(Message.types(client.readUntilReady())).contains("V");
    }

    @Test
    void keepsItsOwnRepliesInTheirPlaceBeforeRows() {
        client.parse("one", "SELECT 1")
                .parse("rows", "SELECT generate_series(1, 3)")
                .sync()
                .readUntilReady();
        client.bind("p", "rows")
                .bind("q", "one")
                .close('S', "nothing")
                .execute("p", 0)
                .sync();
        assertThat(Message.types(client.readUntilReady())).isEqualTo("223DDDCZ");
    }

    @Test
    void refusesGiantsThatWouldBeCut() {
        String giant = "SELECT 1; ".repeat(1_700_000);
        assertThat(outcome("CREATE SCHEMA two_3; " + giant)).isEqualTo("54000 I");
        assertThat(outcome("CREATE SCHEMA two_3")).isEqualTo("CREATE SCHEMA I");
    }

    @Test
    void endsAConnectionWhoseSyncIsLong() {
        client.raw(new byte[] {'S', 0, 1, 0, 0});
        assertThat(Message.only(client.readToEnd(), 'E').sqlState()).isEqualTo("08P01");
    }

    private void execute(String sql) {
        client.parse("", sql).bind("", "").execute("", 0);
    }

    private String outcome(String sql) {
        return outcome(client.query(sql));
    }

    /** Tags and SQLSTATEs of errors up to ReadyForQuery, and its status. */
    private static String outcome(RawClient of) {
        List<Message> answer = of.readUntilReady();
        String said = answer.stream()
                .filter(message -> message.type() == 'C' || message.type() == 'E')
                .map(message -> message.type() == 'C' ? message.strings().getFirst() : message.sqlState())
                .collect(Collectors.joining(", "));
        return said + " " + answer.getLast().text();
    }

    private String rows(int schema) {
        return client.value("SELECT count(*) FROM two_" + schema + ".t");
    }
}
