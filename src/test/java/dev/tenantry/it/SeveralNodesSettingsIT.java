package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.support.Message;
import dev.tenantry.support.MessageWriter;
import dev.tenantry.support.RawClient;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A transaction that several nodes are in has one set of settings and modes, on whichever node a statement runs. */
class SeveralNodesSettingsIT extends SeveralNodes {

    // --- settings

    @Test
    void givesEveryNodeTheSearchPathOfTheBlock() {
        client.run("BEGIN");
        client.run("CREATE ROLE several_role");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("SET search_path TO several_2");
        assertThat(on(1, "search_path")).isEqualTo("several_2");
        assertThat(outcome("INSERT INTO t VALUES (1)")).isEqualTo("INSERT 0 1 T");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(rows(1) + rows(2)).isEqualTo("11");
    }

    @Test
    void givesEveryNodeTheRoleOfTheBlock() {
        client.run("CREATE ROLE several_role");
        client.run("BEGIN");
        client.run("GRANT USAGE ON SCHEMA several_2 TO several_role");
        client.run("SET LOCAL ROLE several_role");
        assertThat(roleOn(2)).isEqualTo("several_role");
        client.run("RESET ROLE");
        assertThat(roleOn(2)).isEqualTo("tenantry");
        client.run("COMMIT");
    }

    @Test
    void givesANodeTheRoleAsWellAsWhatOnlyTheSessionUserMaySet() {
        client.run("BEGIN");
        client.run("CREATE ROLE several_role");
        client.run("SET ROLE several_role");
        assertThat(roleOn(2)).isEqualTo("several_role");
        client.run("RESET ROLE");
        client.run("SET log_min_duration_statement = 60000");
        assertThat(on(2, "log_min_duration_statement")).isEqualTo("1min");
        client.run("ROLLBACK");
        assertThat(on(2, "log_min_duration_statement")).isEqualTo("-1");
    }

    @Test
    void takesSettingsBackToTheSavepointOnEveryNode() {
        client.run("BEGIN");
        client.run("CREATE ROLE several_role");
        client.run("SET LOCAL application_name = 'before'");
        client.run("SAVEPOINT s");
        client.run("SET LOCAL application_name = 'after'");
        assertThat(on(2, "application_name")).isEqualTo("after");
        client.run("ROLLBACK TO s");
        assertThat(on(1, "application_name")).isEqualTo("before");
        assertThat(on(2, "application_name")).isEqualTo("before");
        client.run("COMMIT");
        assertThat(on(1, "application_name") + on(2, "application_name")).isEmpty();
    }

    @Test
    void takesSettingsOfALateNodeBackToASavepointFromBeforeIt() {
        client.run("BEGIN");
        client.run("SET LOCAL application_name = 'before'");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("SAVEPOINT s");
        client.run("SET LOCAL application_name = 'after'");
        client.run("CREATE ROLE several_role");
        assertThat(on(2, "application_name")).isEqualTo("after");
        client.run("ROLLBACK TO s");
        assertThat(on(2, "application_name")).isEqualTo("before");
        client.run("ROLLBACK");
    }

    @Test
    void knowsAfterwardsWhatEveryNodeHasKept() {
        client.run("BEGIN");
        client.run("SET application_name = 'kept'");
        client.run("CREATE ROLE several_role");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
        assertThat(on(1, "application_name")).isEqualTo("kept");
        client.run("RESET application_name");
        assertThat(on(2, "application_name")).isEmpty();
        client.run("BEGIN");
        client.run("SET application_name = 'lost'");
        client.run("DROP ROLE several_role");
        client.run("ROLLBACK");
        assertThat(on(1, "application_name") + on(2, "application_name")).isEmpty();
    }

    @Test
    void keepsTheLocalRoleInResetAll() {
        client.run("CREATE ROLE several_role SUPERUSER");
        client.run("BEGIN");
        client.run("SET LOCAL ROLE several_role");
        client.run("RESET ALL");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("CREATE EXTENSION IF NOT EXISTS plpgsql");
        assertThat(roleOn(2)).isEqualTo("several_role");
        client.run("COMMIT");
        assertThat(roleOn(2)).isEqualTo("tenantry");
    }

    @Test
    void returnsFromALocalDefault() {
        client.run("SET application_name = 'kept'");
        client.run("BEGIN");
        client.run("SET LOCAL application_name TO DEFAULT");
        assertThat(on(2, "application_name")).isEmpty();
        client.run("COMMIT");
        assertThat(on(1, "application_name") + on(2, "application_name")).isEqualTo("keptkept");
    }

    @Test
    void noticesASettingCallInAPreparedStatement() {
        client.run("PREPARE several(text) AS SELECT set_config('application_name', $1, false)");
        client.run("EXECUTE several('called')");
        assertThat(on(1, "application_name") + on(2, "application_name")).isEqualTo("calledcalled");
    }

    @Test
    void givesEveryNodeWhatASuperuserHasSetBeforeBecomingAnother() {
        client.run("CREATE ROLE several_role");
        client.run("SET session_replication_role TO replica");
        client.run("SET SESSION AUTHORIZATION several_role");
        assertThat(settingOn(client, 1, "session_replication_role")).isEqualTo("replica");
        assertThat(settingOn(client, 2, "session_replication_role")).isEqualTo("replica");
        assertThat(roleOn(2)).isEqualTo("several_role");
        client.run("RESET SESSION AUTHORIZATION");
        client.run("RESET session_replication_role");
        client.run("SET ROLE several_role");
        assertThat(settingOn(client, 1, "session_replication_role")).isEqualTo("origin");
        assertThat(settingOn(client, 2, "session_replication_role")).isEqualTo("origin");
        assertThat(roleOn(2)).isEqualTo("several_role");
        client.run("RESET ROLE");
    }

    @Test
    void givesEveryNodeWhatOnlyTheRoleMaySetThatTheSessionHadTaken() {
        client.run("CREATE ROLE several_role SUPERUSER");
        client.run("CREATE ROLE several_login LOGIN PASSWORD 'secret' IN ROLE several_role");
        RawClient low = RawClient.login(cluster.host(), cluster.port(), "several_login", "secret", "tenantry");
        try (low) {
            low.succeed("SET ROLE several_role");
            low.succeed("SET session_replication_role TO replica");
            low.succeed("RESET ROLE");
            assertThat(settingOn(low, 1, "session_replication_role")).isEqualTo("replica");
            assertThat(settingOn(low, 2, "session_replication_role")).isEqualTo("replica");
            assertThat(settingOn(low, 2, "role")).isEqualTo("none");
            low.succeed("BEGIN");
            low.succeed("SET LOCAL ROLE several_role");
            low.succeed("RESET session_replication_role");
            assertThat(settingOn(low, 1, "session_replication_role")).isEqualTo("origin");
            low.succeed("INSERT INTO several_1.t VALUES (1)");
            assertThat(settingOn(low, 2, "session_replication_role")).isEqualTo("origin");
            assertThat(settingOn(low, 2, "role")).isEqualTo("several_role");
            low.succeed("COMMIT");
            assertThat(settingOn(low, 1, "session_replication_role")).isEqualTo("origin");
            assertThat(settingOn(low, 2, "role")).isEqualTo("none");
        }
        client.run("DROP ROLE several_login");
    }

    /** The schema "$user" is that of the role that the string takes. */
    @Test
    void routesAStringByTheSessionAuthorizationThatItSets() {
        client.run("CREATE ROLE several_role SUPERUSER");
        client.run("ALTER SCHEMA several_2 RENAME TO several_role");
        client.run("SET search_path TO \"$user\"");
        assertThat(outcome("SET SESSION AUTHORIZATION several_role; INSERT INTO t VALUES (1)"))
                .isEqualTo("SET, INSERT 0 1 I");
        assertThat(outcome("RESET SESSION AUTHORIZATION; INSERT INTO t VALUES (1)"))
                .isEqualTo("RESET, 42P01 I");
        client.run("ALTER SCHEMA several_role RENAME TO several_2");
        assertThat(rows(2)).isEqualTo("1");
    }

    @Test
    void knowsTheSettingsThatOnlySuperusersMaySet() {
        List<Message> settings = client.run("SELECT name FROM pg_settings WHERE context = 'superuser'");
        assertThat(Message.rows(settings)).isNotEmpty();
        assertThat(Message.rows(settings))
                .filteredOn(row -> !SessionSettings.isForSuperusers(String.valueOf(row.getFirst())))
                .isEmpty();
    }

    /** The same as {@link #on}, for whoever may read no table there. */
    private static String settingOn(RawClient by, int worker, String setting) {
        return by.value("SELECT current_setting('" + setting + "') FROM pg_class WHERE relnamespace ="
                + " (SELECT oid FROM pg_namespace WHERE nspname = 'several_" + worker + "')");
    }

    @Test
    void readsBoundValuesInTheEncodingOfTheClient() {
        client.run("SET client_encoding = 'LATIN1'");
        client.parse("", "SELECT set_config('several.name', $1, false)");
        MessageWriter bind = new MessageWriter().string("").string("").int16(0).int16(1);
        client.message('B', bind.int32(1).int8(0xe9).int16(0)).execute("", 0);
        assertThat(outcome(client.sync())).isEqualTo("SELECT 1 I");
        client.run("SET client_encoding = 'UTF8'");
        assertThat(on(1, "several.name") + on(2, "several.name")).isEqualTo("éé");
    }

    // --- modes

    @Test
    void takesTheModesOfAChainedBlockToAnotherNode() {
        client.run("BEGIN");
        client.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY");
        client.run("SELECT FROM several_1.t");
        client.run("COMMIT AND CHAIN");
        assertThat(on(2, "transaction_isolation")).isEqualTo("serializable");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("25006 E");
        assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
        assertThat(on(2, "transaction_isolation")).isEqualTo("read committed");
    }

    @Test
    void takesTheModesOfABlockOfSeveralNodesToTheNext() {
        client.run("START TRANSACTION ISOLATION LEVEL SERIALIZABLE");
        client.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        client.run("CREATE ROLE several_role");
        client.run("INSERT INTO several_1.t VALUES (1)");
        assertThat(on(2, "transaction_isolation")).isEqualTo("repeatable read");
        assertThat(outcome("COMMIT AND CHAIN")).isEqualTo("COMMIT T");
        assertThat(on(2, "transaction_isolation")).isEqualTo("repeatable read");
        assertThat(outcome("ROLLBACK AND CHAIN")).isEqualTo("ROLLBACK T");
        assertThat(on(1, "transaction_isolation")).isEqualTo("repeatable read");
        assertThat(outcome("COMMIT")).isEqualTo("COMMIT I");
    }

    @Test
    void takesNoModesOfAFailedBlockToTheNext() {
        for (String failing :
                List.of("SELECT 1/0 FROM several_1.t RIGHT JOIN (SELECT 1) one ON true", "CREATE ROLE tenantry")) {
            client.run("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
            client.run(failing);
            assertThat(outcome("ROLLBACK AND CHAIN")).isEqualTo("ROLLBACK T");
            assertThat(on(2, "transaction_isolation")).isEqualTo("read committed");
            assertThat(on(2, "transaction_read_only")).isEqualTo("off");
            assertThat(outcome("ROLLBACK")).isEqualTo("ROLLBACK I");
        }
    }

    /** As PostgreSQL does, which forgets only what the failed transaction itself has set outside any savepoint. */
    @Test
    void takesChainedModesAndThoseBeforeASavepointOutOfAFailedBlock() {
        client.run("BEGIN READ ONLY");
        client.run("COMMIT AND CHAIN");
        for (int node : List.of(1, 2, 1)) {
            client.run("SELECT 1/0 FROM several_" + node + ".t RIGHT JOIN (SELECT 1) one ON true");
            assertThat(outcome("ROLLBACK AND CHAIN")).isEqualTo("ROLLBACK T");
            assertThat(on(3 - node, "transaction_read_only")).isEqualTo("on");
        }
        client.run("ROLLBACK");
        client.run("BEGIN READ ONLY");
        client.run("SAVEPOINT s");
        client.run("SELECT 1/0 FROM several_1.t RIGHT JOIN (SELECT 1) one ON true");
        assertThat(outcome("ROLLBACK AND CHAIN")).isEqualTo("ROLLBACK T");
        assertThat(on(2, "transaction_read_only")).isEqualTo("on");
        client.run("ROLLBACK");
    }

    @Test
    void keepsADefaultThatIsNewOutOfTheChainedBlock() {
        client.run("SET default_transaction_isolation = 'repeatable read'");
        client.run("BEGIN");
        client.run("SET default_transaction_isolation = 'serializable'");
        client.run("COMMIT AND CHAIN");
        assertThat(on(2, "transaction_isolation")).isEqualTo("repeatable read");
        client.run("COMMIT");
        assertThat(on(2, "transaction_isolation")).isEqualTo("serializable");
    }

    @Test
    void givesALateNodeTheModesThatWereSetInTheBlock() {
        client.run("BEGIN");
        client.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        client.run("INSERT INTO several_1.t VALUES (1)");
        client.run("CREATE ROLE several_role");
        assertThat(on(2, "transaction_isolation")).isEqualTo("repeatable read");
        client.run("SET TRANSACTION READ ONLY");
        assertThat(outcome("INSERT INTO several_2.t VALUES (1)")).isEqualTo("25006 E");
        client.run("ROLLBACK");
    }

    @Test
    void makesAnImplicitBlockReadOnlyByBegin() {
        assertThat(outcome("BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE ROLE several_role"))
                .isEqualTo("BEGIN, CREATE ROLE T");
        assertThat(on(2, "transaction_isolation")).isEqualTo("serializable");
        client.run("ROLLBACK");
        assertThat(outcome("CREATE ROLE several_role; BEGIN READ ONLY; INSERT INTO several_1.t VALUES (1)"))
                .isEqualTo("CREATE ROLE, BEGIN, 25006 E");
        client.run("ROLLBACK");
        assertThat(outcome("CREATE ROLE several_role; BEGIN ISOLATION LEVEL SERIALIZABLE"))
                .isEqualTo("CREATE ROLE, 25001 I");
    }
}
