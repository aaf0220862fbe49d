package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** One session that uses two nodes: errors, ends of blocks and pipelined batches mean what they mean on one server. */
class TwoNodeSessionIT extends SeveralNodes {

    @Test
    void leavesAFailedBlockFailedOnTheOtherNode() {
        assertThat(outcome("BEGIN")).isEqualTo("BEGIN T");
        assertThat(outcome("SELECT 1/0")).isEqualTo("22012 E");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("25P02 E");
        assertThat(outcome("CREATE SCHEMA several_3")).isEqualTo("25P02 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        assertThat(rows(2)).isEqualTo("0");
    }

    /** The other node has been sent a BEGIN already. */
    @Test
    void refusesAPortalOfANameThatIsInUseOnTheFirstNode() {
        client.parse("in_1", "SELECT 1 FROM several_1.t RIGHT JOIN generate_series(1, 2) ON true");
        client.parse("in_2", "SELECT 2 FROM several_2.t").sync().readUntilReady();
        assertThat(outcome("BEGIN")).isEqualTo("BEGIN T");
        client.bind("portal", "in_1").execute("portal", 1).sync().readUntilReady();
        client.bind("portal", "in_2").execute("portal", 0);
        assertThat(outcome(client.sync())).isEqualTo("42P03 E");
        assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
    }

    /** What the client sends next must not run outside of the block that it believes to be in. */
    @Test
    void failsTheBlockOfAStringThatItRefusesInTheMiddle() {
        assertThat(outcome("BEGIN; INSERT INTO several_1.t VALUES (1); SELECT FROM several_1.t, several_2.t; COMMIT"))
                .isEqualTo("BEGIN, INSERT 0 1, 0A000 E");
        assertThat(outcome("INSERT INTO several_1.t VALUES (2)")).isEqualTo("25P02 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        assertThat(outcome("INSERT INTO several_1.t VALUES (1); SELECT FROM several_1.t, several_2.t"))
                .isEqualTo("INSERT 0 1, 0A000 I");
        assertThat(outcome("INSERT INTO several_1.t VALUES (1); SET client_encoding TO 'SJIS'"))
                .startsWith("INSERT 0 1, 0A000 I");
        assertThat(rows(1)).isEqualTo("0");
    }

    @Test
    void undoesTheBatchThatItRefusesToContinue() {
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("SELECT FROM several_1.t, several_2.t");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, 0A000 I");
        assertThat(rows(1)).isEqualTo("0");
    }

    @Test
    void undoesTheBatchThatARefusedQueryEnds() {
        execute("SET application_name = 'refused'");
        execute("INSERT INTO several_1.t VALUES (1)");
        client.query("SELECT FROM several_1.t, several_2.t");
        assertThat(outcome(client)).isEqualTo("SET, INSERT 0 1, 0A000 I");
        assertThat(outcome(client.sync())).isEqualTo(" I");
        assertThat(rows(1)).isEqualTo("0");
        assertThat(client.value("SELECT current_setting('application_name') FROM several_2.t RIGHT JOIN"
                        + " (SELECT 1) one ON true"))
                .isEmpty();
    }

    @Test
    void answersTheBatchThatARefusedQueryEnds() {
        client.parse("", "INSERT INTO several_1.t VALUES (1)")
                .bind("", "")
                .query("SELECT FROM several_1.t, several_2.t");
        assertThat(outcome(client)).isEqualTo("0A000 I");
        assertThat(outcome("BEGIN")).isEqualTo("BEGIN T");
        execute("INSERT INTO several_1.t VALUES (1)");
        client.query("SELECT FROM several_1.t, several_2.t");
        assertThat(outcome(client)).isEqualTo("INSERT 0 1, 0A000 E");
        assertThat(outcome(client.sync())).isEqualTo(" E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        assertThat(outcome("BEGIN")).isEqualTo("BEGIN T");
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("INSERT INTO several_2.t VALUES (1)");
        client.query("SELECT FROM several_1.t, several_2.t");
        assertThat(outcome(client)).isEqualTo("INSERT 0 1, INSERT 0 1, 0A000 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("INSERT INTO several_2.t VALUES (1)");
        client.query("SELECT FROM several_1.t, several_2.t");
        assertThat(outcome(client)).isEqualTo("INSERT 0 1, INSERT 0 1, 0A000 I");
        assertThat(rows(1) + rows(2)).isEqualTo("00");
    }

    @Test
    void forgetsWhatARefusedBatchHasSet() {
        execute("SET application_name = 'refused'");
        execute("SELECT FROM several_1.t, several_2.t");
        client.sync().readUntilReady();
        assertThat(client.value("SELECT current_setting('application_name') FROM several_2.t RIGHT JOIN"
                        + " (SELECT 1) one ON true"))
                .isEmpty();
    }

    @Test
    void takesWhatABatchHasExecutedIntoTheTransactionOfItsDdl() {
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("CREATE SCHEMA several_3");
        execute("CREATE SCHEMA several_1");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, CREATE SCHEMA, 42P06 I");
        assertThat(rows(1)).isEqualTo("0");
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("CREATE SCHEMA several_3");
        assertThat(outcome(client.sync())).isEqualTo("INSERT 0 1, CREATE SCHEMA I");
        assertThat(rows(1)).isEqualTo("1");
    }

    @Test
    void carriesOutNoDdlBehindAFailedStatementOfItsBatch() {
        execute("INSERT INTO several_1.t VALUES (1/0)");
        execute("CREATE SCHEMA several_3");
        assertThat(outcome(client.sync())).isEqualTo("22012 I");
        assertThat(outcome("CREATE SCHEMA several_3")).isEqualTo("CREATE SCHEMA I");
    }

    @Test
    void commitsDdlOfTheCoordinatorAloneFromWhereverTheSessionIs() {
        client.run("BEGIN");
        client.run("SET LOCAL tenantry.node = 'coordinator'");
        client.run("CREATE SCHEMA several_3");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        try (RawClient other = login()) {
            assertThat(other.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'several_3'"))
                    .isEqualTo("1");
        }
    }

    @Test
    void rollsBackABlockWhoseCoordinatorHasFailed() {
        client.run("BEGIN");
        client.run("CREATE ROLE several_role");
        client.run("SELECT 1/0");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
    }

    @Test
    void takesNoFailedSettingAlongToTheOtherNode() {
        client.run("BEGIN");
        client.run("SAVEPOINT s");
        assertThat(outcome("SET no_such_setting = 1")).isEqualTo("42704 E");
        client.run("ROLLBACK TO s");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("INSERT 0 1 T");
        assertThat(outcome("ROLLBACK TO s")).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void takesASavepointOfTheExtendedProtocolAlong() {
        client.run("BEGIN");
        execute("SAVEPOINT s");
        assertThat(outcome(client.sync())).isEqualTo("SAVEPOINT T");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("INSERT 0 1 T");
        execute("ROLLBACK TO s");
        assertThat(outcome(client.sync())).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(2)).isEqualTo("0");
    }

    @Test
    void leavesAModeOfTheTransactionBehindWithIt() {
        client.run("BEGIN");
        client.run("SET transaction_isolation = 'serializable'");
        client.run("SELECT FROM several_1.t");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(outcome("SELECT FROM several_2.t")).isEqualTo("SELECT 0 I");
    }

    @Test
    void forgetsTheRoleWithANewSessionUser() {
        client.run("DROP ROLE IF EXISTS several_low, several_mid");
        client.run("CREATE ROLE several_low");
        client.run("CREATE ROLE several_mid");
        client.run("SET ROLE several_mid");
        client.run("SET SESSION AUTHORIZATION several_low");
        assertThat(client.value("SELECT current_user FROM pg_class WHERE relnamespace ="
                        + " (SELECT oid FROM pg_namespace WHERE nspname = 'several_2')"))
                .isEqualTo("several_low");
        client.run("RESET SESSION AUTHORIZATION");
        client.run("DROP ROLE several_low, several_mid");
    }

    @Test
    void endsAFailedOrFinishedBlockInTheMiddleOfAString() {
        client.run("BEGIN");
        assertThat(outcome("SELECT FROM several_1.t, several_2.t")).isEqualTo("0A000 E");
        assertThat(outcome("ROLLBACK; SELECT 1")).isEqualTo("ROLLBACK, SELECT 1 I");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        assertThat(outcome("COMMIT; INSERT INTO several_2.t VALUES (1)")).isEqualTo("COMMIT, INSERT 0 1 I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
    }

    @Test
    void copiesInsideAStringThatIsRunOneByOne() {
        client.run("SET tenantry.node = 'worker1'");
        client.query("CREATE SCHEMA several_3; COPY several_1.t FROM STDIN").readUntil('G');
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
    void refusesSecondStatementOfANameAsTheNodeWouldThatHasTheFirst() {
        client.run("PREPARE one AS SELECT id FROM several_1.t");
        client.run("SET search_path TO several_2");
        assertThat(outcome("PREPARE one AS SELECT id FROM t")).isEqualTo("42P05 I");
        assertThat(outcome("PREPARE one AS SELECT id FROM nothing")).isEqualTo("42P01 I");
        client.parse("two", "SELECT id FROM several_1.t").sync().readUntilReady();
        assertThat(outcome(client.parse("two", "SELECT id FROM t").sync())).isEqualTo("42P05 I");
        assertThat(outcome(client.parse("two", "SELECT id FROM nothing").sync()))
                .isEqualTo("42P01 I");
        client.run("INSERT INTO several_1.t VALUES (1)");
        for (String name : List.of("one", "two")) {
            assertThat(outcome("EXECUTE " + name)).isEqualTo("SELECT 1 I");
        }
    }

    @Test
    void goesInOneStringWhereTheSessionBeganAfterReset() {
        client.run("INSERT INTO several_2.t VALUES (1)");
        try (RawClient other =
                SuperuserLogin.at(cluster.host(), cluster.port(), Map.of("options", "-c search_path=several_2"))) {
            for (String reset : List.of("RESET search_path", "SET search_path TO DEFAULT", "RESET ALL")) {
                other.run("SET search_path TO several_1");
                assertThat(outcome(other.query(reset + "; SELECT id FROM t"))).endsWith("SELECT 1 I");
            }
        }
    }

    @Test
    void refusesGiantsThatWouldBeCut() {
        String giant = "SELECT 1; ".repeat(1_700_000);
        assertThat(outcome("CREATE SCHEMA several_3; " + giant)).isEqualTo("54000 I");
        assertThat(outcome("CREATE SCHEMA several_3")).isEqualTo("CREATE SCHEMA I");
    }

    @Test
    void endsAConnectionWhoseSyncIsLong() {
        client.raw(new byte[] {'S', 0, 1, 0, 0});
        assertThat(Message.only(client.readToEnd(), 'E').sqlState()).isEqualTo("08P01");
    }
}
