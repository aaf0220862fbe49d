package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.nio.charset.Charset;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A transaction that several nodes are in has the names and savepoints, and the one end, of any transaction. */
class SeveralNodesIT extends SeveralNodes {

    // --- savepoints and names

    @Test
    void givesALateNodeASavepointWithAnOddName() {
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("SAVEPOINT \"Größe \"\"é\"");
        assertThat(outcome("CREATE ROLE several_role")).isEqualTo("CREATE ROLE T");
        client.run("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome("ROLLBACK TO \"Größe \"\"é\"")).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("10");
    }

    @Test
    void givesALateNodeASavepointInTheEncodingOfItsTime() {
        client.run("SET client_encoding = 'LATIN2'");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        assertThat(outcome(say("SAVEPOINT \"žluť\"", "ISO-8859-2"))).isEqualTo("SAVEPOINT T");
        client.run("SET client_encoding = 'UTF8'");
        client.run("CREATE ROLE several_role");
        client.run("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome("ROLLBACK TO \"žluť\"")).isEqualTo("ROLLBACK T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("10");
    }

    @Test
    void sharesOddNamesOfPreparedStatementsBetweenTheProtocols() {
        client.run("PREPARE \"größe\" AS SELECT count(*) FROM several_2.t");
        client.bind("", "größe").execute("", 0);
        assertThat(outcome(client.sync())).isEqualTo("SELECT 1 I");
        client.parse("maß", "SELECT count(*) FROM several_1.t");
        client.sync().readUntilReady();
        client.run("SELECT FROM several_2.t");
        assertThat(client.value("EXECUTE \"maß\"")).isEqualTo("0");
        assertThat(outcome("DEALLOCATE \"maß\"")).isEqualTo("DEALLOCATE I");
        assertThat(outcome("EXECUTE \"maß\"")).isEqualTo("26000 I");
        client.run("SELECT FROM several_1.t");
        client.run("SET search_path TO several_1");
        client.run("PREPARE \"länge\" AS SELECT count(*) FROM t");
        client.run("SET search_path TO several_2");
        assertThat(client.value("EXECUTE \"länge\"")).isEqualTo("0");
        client.run("SELECT FROM several_1.t");
        client.bind("", "länge").execute("", 0);
        assertThat(outcome(client.sync())).isEqualTo("SELECT 1 I");
    }

    @Test
    void findsPreparedStatementsOfAString() {
        client.run("PREPARE one AS SELECT count(*) FROM several_1.t");
        client.run("SELECT FROM several_2.t");
        assertThat(outcome("EXECUTE one; SELECT 1")).isEqualTo("SELECT 1, SELECT 1 I");
        client.run("SELECT FROM several_2.t");
        assertThat(outcome("SELECT 1; DEALLOCATE one")).isEqualTo("SELECT 1, DEALLOCATE I");
        assertThat(outcome("EXECUTE one; SELECT 1")).isEqualTo("26000 I");
    }

    @Test
    void leavesTheUnnamedStatementWhatItWas() {
        client.parse("set", "SET application_name = 'changed'").sync().readUntilReady();
        client.parse("elsewhere", "SELECT FROM several_1.t").sync().readUntilReady();
        client.parse("", "SELECT 8 AS x FROM several_2.t RIGHT JOIN (SELECT 1) one ON true")
                .sync()
                .readUntilReady();
        client.bind("p", "elsewhere").execute("p", 0).sync().readUntilReady();
        client.bind("q", "set").execute("q", 0).sync().readUntilReady();
        client.bind("", "").execute("", 0).sync();
        assertThat(Message.rows(client.readUntilReady())).containsExactly(List.of("8"));
    }

    // --- the end

    @Test
    void commitsWritersOfWhichNoneIsTheCoordinator() throws SQLException {
        client.run("BEGIN");
        client.run("CREATE EXTENSION IF NOT EXISTS plpgsql");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("INSERT INTO several_2.t VALUES (1)");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
        assertThat(prepared()).isZero();
    }

    @Test
    void undoesAllWhenTheDeciderCantCommit() throws SQLException {
        client.run("CREATE TABLE several_2.u (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        client.run("BEGIN");
        client.run("CREATE EXTENSION IF NOT EXISTS plpgsql");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("INSERT INTO several_2.u VALUES (1), (1)");
        assertThat(outcome("COMMIT")).isEqualTo("23505 I");
        assertThat(rows(1)).isEqualTo("0");
        assertThat(prepared()).isZero();
    }

    @Test
    void commitsTheOnlyWriterPlainly() throws SQLException {
        client.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
        client.run("CREATE EXTENSION IF NOT EXISTS plpgsql");
        client.run("SELECT pg_notify('several', '') FROM several_2.t RIGHT JOIN (SELECT 1) one ON true");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("SELECT pg_notify('several', '') FROM several_1.t"); // can't be prepared
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1)).isEqualTo("1");
        assertThat(prepared()).isZero();
    }

    @Test
    void finishesAtOnceWhatALocalRoleHasPrepared() throws SQLException {
        RawClient low = memberOfARole();
        try (low) {
            low.run("BEGIN");
            low.run("SET LOCAL ROLE several_role");
            low.run("CREATE EXTENSION IF NOT EXISTS plpgsql");
            low.run("INSERT INTO several_1.t VALUES (1)");
            low.run("INSERT INTO several_2.t VALUES (1)");
            assertThat(outcome(low.query("COMMIT"))).isEqualTo("COMMIT I");
            assertThat(prepared()).isZero();
            assertThat(low.value("SELECT current_user")).isEqualTo("several_login");
        }
        assertThat(rows(1) + rows(2)).isEqualTo("11");
        client.run("DROP SCHEMA several_1, several_2 CASCADE");
    }

    /** A part is finished by the role that it was written by, whatever role the session has by then. */
    @Test
    void finishesAtOnceWhatWasPreparedBeforeTheRoleWasSet() throws SQLException {
        RawClient low = memberOfARole();
        try (low) {
            low.run("BEGIN");
            low.succeed("INSERT INTO several_1.t VALUES (1)");
            low.succeed("INSERT INTO several_2.t VALUES (1)");
            low.run("SET LOCAL ROLE several_role");
            low.succeed("INSERT INTO several_2.t VALUES (2)");
            assertThat(Message.types(low.run("COMMIT"))).isEqualTo("CZ");
            assertThat(prepared()).isZero();
        }
        assertThat(rows(1) + rows(2)).isEqualTo("12");
        client.run("DROP SCHEMA several_1, several_2 CASCADE");
    }

    @Test
    void runsNothingOnANodeBehindAFailureOnAnother() {
        client.run("BEGIN");
        client.run("CREATE ROLE several_role");
        assertThat(outcome("SELECT 1/0 FROM several_1.t RIGHT JOIN (SELECT 1) one ON true"))
                .isEqualTo("22012 E");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("25P02 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
    }

    @Test
    void saysNothingOfTheLastStatementBeforeItsStringHasCommitted() {
        client.run("CREATE TABLE several_1.u (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
        client.run("SET tenantry.node = 'worker1'");
        assertThat(outcome("CREATE SCHEMA several_3; INSERT INTO several_1.u VALUES (1), (1)"))
                .isEqualTo("CREATE SCHEMA, 23505 I");
        assertThat(outcome("CREATE SCHEMA several_3; INSERT INTO several_1.u VALUES (1), (2)"))
                .isEqualTo("CREATE SCHEMA, INSERT 0 2 I");
        assertThat(outcome("INSERT INTO several_1.u VALUES (1); DROP SCHEMA several_3"))
                .isEqualTo("INSERT 0 1, 23505 I");
        assertThat(client.value("SELECT count(*) FROM several_1.u")).isEqualTo("2");
    }

    @Test
    void refusesSavepointsAndChainsInAnImplicitTransaction() {
        assertThat(outcome("CREATE ROLE several_role; SAVEPOINT s")).isEqualTo("CREATE ROLE, 25P01 I");
        assertThat(outcome("CREATE ROLE several_role; COMMIT AND CHAIN")).isEqualTo("CREATE ROLE, 25P01 I");
        assertThat(outcome("CREATE ROLE several_role")).isEqualTo("CREATE ROLE I");
    }

    @Test
    void bringsNoBlockBackToASavepointOfWhichANodeIsLost() throws SQLException {
        client.run("SET application_name = 'crippled'");
        client.run("BEGIN");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("CREATE ROLE several_role");
        client.run("SAVEPOINT s");
        assertThat(direct(
                        2,
                        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
                                + " WHERE application_name = 'crippled'"))
                .isEqualTo("1");
        Eventually.passes(() -> assertThat(outcome("SELECT 1")).matches("(57P01|08006|25P02) E"));
        assertThat(outcome("ROLLBACK TO s")).isEqualTo("25P02 E");
        assertThat(outcome("COMMIT")).isEqualTo("ROLLBACK I");
        assertThat(rows(1)).isEqualTo("0");
    }

    // --- a batch that ends with a Query

    @Test
    void commitsABatchOfSeveralNodesWithTheQueryThatEndsIt() {
        batch();
        assertThat(outcome("INSERT INTO several_1.t VALUES (2)")).isEqualTo("INSERT 0 1, CREATE SCHEMA, INSERT 0 1 I");
        try (RawClient other = login()) {
            assertThat(other.value("SELECT count(*) FROM several_1.t")).isEqualTo("2");
        }
    }

    @Test
    void undoesABatchOfSeveralNodesWithTheQueryThatFailsBehindIt() {
        batch();
        assertThat(outcome("SELECT 1/0")).isEqualTo("INSERT 0 1, CREATE SCHEMA, 22012 I");
        assertThat(rows(1)).isEqualTo("0");
        assertThat(outcome("CREATE SCHEMA several_3")).isEqualTo("CREATE SCHEMA I");
    }

    @Test
    void commitsABatchOfSeveralNodesWithNothingAndWithAFunction() {
        batch();
        List<Message> answer = client.query("").readUntilReady();
        assertThat(Message.types(answer)).endsWith("IZ");
        assertThat(answer.getLast().text()).isEqualTo("I");
        client.run("DROP SCHEMA several_3");
        batch();
        answer = client.callFunction(1598).readUntilReady(); // random()
        assertThat(Message.types(answer)).endsWith("VZ");
        assertThat(answer.getLast().text()).isEqualTo("I");
        assertThat(rows(1)).isEqualTo("2");
    }

    @Test
    void makesABatchOfSeveralNodesABlockByBegin() {
        batch();
        assertThat(outcome("BEGIN")).isEqualTo("INSERT 0 1, CREATE SCHEMA, BEGIN T");
        assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
        assertThat(rows(1)).isEqualTo("0");
    }

    // --- privileges

    @Test
    void grantsOnSchemasOfSeveralNodesTogether() throws SQLException {
        client.run("CREATE ROLE several_role");
        client.run("SET tenantry.node = 'coordinator'");
        client.run("CREATE SCHEMA several_3");
        assertThat(outcome("GRANT USAGE ON SCHEMA several_1, several_3, \"several_2\" TO several_role"))
                .isEqualTo("GRANT I");
        assertThat(privileges()).isEqualTo("ttt tf ft");
        assertThat(outcome("REVOKE USAGE ON SCHEMA several_1,several_2 FROM several_role"))
                .isEqualTo("REVOKE I");
        assertThat(privileges()).isEqualTo("fft ff ff");
        assertThat(outcome("GRANT USAGE ON SCHEMA several_1, several_2 TO several_role, no_such_role"))
                .isEqualTo("42704 I");
        assertThat(privileges()).isEqualTo("fft ff ff");
        client.run("DROP SCHEMA several_3");
    }

    /** What the role may use: on the coordinator schemas 1 to 3, on each worker 1 and 2. */
    private String privileges() throws SQLException {
        String found = "";
        for (int node = 0; node <= 2; node++) {
            for (int schema = 1; schema <= (node == 0 ? 3 : 2); schema++) {
                found += direct(
                        node,
                        "SELECT coalesce((SELECT has_schema_privilege('several_role', oid, 'USAGE') FROM pg_namespace"
                                + " WHERE nspname = 'several_" + schema + "'), false)::text::char(1)");
            }
            found += node < 2 ? " " : "";
        }
        return found;
    }

    // --- words

    private void batch() {
        client.run("SET tenantry.node = 'worker2'");
        execute("INSERT INTO several_1.t VALUES (1)");
        execute("CREATE SCHEMA several_3");
    }

    private RawClient say(String sql, String charset) {
        return client.message(
                'Q',
                new MessageWriter()
                        .bytes(sql.getBytes(Charset.forName(charset)))
                        .int8(0));
    }

    /** Signed in as a login that may write to both tables as a role that it is a member of. */
    private RawClient memberOfARole() {
        client.run("CREATE ROLE several_role");
        client.run("CREATE ROLE several_login LOGIN PASSWORD 'secret' IN ROLE several_role");
        client.run("GRANT USAGE ON SCHEMA several_1, several_2 TO several_role");
        client.run("GRANT INSERT ON several_1.t TO several_role");
        client.run("GRANT INSERT ON several_2.t TO several_role");
        return RawClient.login(cluster.host(), cluster.port(), "several_login", "secret", "tenantry");
    }
}
