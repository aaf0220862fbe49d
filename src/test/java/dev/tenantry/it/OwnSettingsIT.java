package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.Tenantry;
import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings that only exist here are checked, shown and inherited as PostgreSQL's own are. */
class OwnSettingsIT {
    private static final String SHARDING = "citus.enable_schema_based_sharding";
    private static final String PASSWORD = "secret";

    private static Cluster cluster;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        try (RawClient client = cluster.login()) {
            client.succeed("CREATE ROLE tuned LOGIN SUPERUSER PASSWORD '" + PASSWORD + "'");
        }
        cluster.createSchemaOfEachWorker();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "on", "off", "ON", "Off", "true", "tr", "T", "false", "fals", "yes", "y", "no", "N", "of", "o", "", "1",
                "0", "2", "10", "-1", "maybe", "onn", " on", "trueish", "default"
            })
    void takesForBooleanWhatPostgresqlTakes(String value) {
        try (RawClient client = cluster.login()) {
            for (String how : List.of(
                    "SET %s = '" + value + "'",
                    "SET LOCAL %s TO '" + value + "'",
                    "SELECT set_config('%s', '" + value + "', false)")) {
                List<Message> ours = inBlock(client, how.formatted(SHARDING));
                List<Message> theirs = inBlock(client, how.formatted("enable_seqscan"));
                assertThat(Message.types(ours).contains("E"))
                        .as(how)
                        .isEqualTo(Message.types(theirs).contains("E"));
                if (Message.types(theirs).contains("E")) {
                    Message error = Message.only(ours, 'E');
                    Message expected = Message.only(theirs, 'E');
                    assertThat(error.sqlState()).isEqualTo(expected.sqlState());
                    assertThat(error.errorMessage())
                            .isEqualTo(expected.errorMessage().replace("enable_seqscan", SHARDING));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "citus.enable_schema_based_sharding, maybe, off, requires a Boolean value",
        "tenantry.pool_mode, mixed, SESSION, invalid value for parameter"
    })
    void refusesWhatSettingCannotBeWhereverItComesFrom(String setting, String wrong, String right, String complaint) {
        try (RawClient client = cluster.login()) {
            for (String sql : List.of(
                    "SET " + setting + " = " + wrong,
                    "SELECT set_config('" + setting + "', '" + wrong + "', false)",
                    "SET work_mem = '8MB'; SET " + setting + " = '" + wrong + "'")) {
                Message error = Message.only(client.run(sql), 'E');
                assertThat(error.sqlState()).as(sql).isEqualTo("22023");
                assertThat(error.errorMessage()).contains(setting).contains(complaint);
                Message extended = Message.only(
                        client.parse("", sql.substring(sql.indexOf(';') + 1))
                                .bind("", "")
                                .execute("", 0)
                                .sync()
                                .readUntilReady(),
                        'E');
                assertThat(extended.sqlState()).as(sql).isEqualTo("22023");
            }
            client.parse("", "SELECT set_config('" + setting + "', $1, false)");
            assertThat(Message.only(
                                    client.bind("", "", wrong)
                                            .execute("", 0)
                                            .sync()
                                            .readUntilReady(),
                                    'E')
                            .sqlState())
                    .isEqualTo("22023");
            client.succeed("SET " + setting + " = " + right);
            assertThat(client.value("SHOW " + setting)).isEqualToIgnoringCase(right);
            client.succeed("SET " + setting + " TO DEFAULT");
            client.succeed("RESET " + setting);
        }
        for (Map<String, String> asked :
                List.of(Map.of(setting, wrong), Map.of("options", "-c " + setting + "=" + wrong))) {
            try (RawClient client = RawClient.connect(cluster.host(), cluster.port())) {
                List<Message> refused = client.trySignIn(
                        RawClient.PROTOCOL_3_0, Superuser.DEFAULT.password(), startup(Superuser.DEFAULT.name(), asked));
                assertThat(refused).hasSize(1);
                assertThat(refused.getFirst().sqlState()).isEqualTo("22023");
                assertThat(refused.getFirst().fields()).containsEntry('V', "FATAL");
            }
        }
    }

    @Test
    void showsAndKeepsToWhatTheRoleHas() {
        try (RawClient client = cluster.login()) {
            client.succeed("ALTER ROLE tuned SET " + SHARDING + " = off");
            client.succeed("ALTER ROLE tuned SET tenantry.pool_mode = session");
        }
        Eventually.passes(() -> {
            try (RawClient client = tuned()) {
                for (String use : List.of("SELECT", "SELECT * FROM w1.t", "SELECT * FROM w2.t")) {
                    client.succeed(use);
                    assertThat(client.value("SHOW " + SHARDING)).isEqualTo("off");
                    assertThat(client.value("SHOW tenantry.pool_mode")).isEqualTo("session");
                }
            }
        });
        try (RawClient client = tuned()) {
            client.succeed("CREATE SCHEMA plain");
            assertThat(client.value("SELECT count(*) FROM citus_schemas WHERE schema_name::text = 'plain'"))
                    .isEqualTo("0");
            client.succeed("SET " + SHARDING + " = on");
            client.succeed("RESET " + SHARDING);
            assertThat(client.value("SHOW " + SHARDING)).isEqualTo("off");
            client.succeed("SET " + SHARDING + " = on");
            client.succeed("DISCARD ALL");
            assertThat(client.value("SHOW " + SHARDING)).isEqualTo("off");
        }
        try (RawClient client = cluster.login()) {
            assertThat(client.value("SHOW " + SHARDING)).isEqualTo("on");
            client.succeed("ALTER ROLE tuned RESET ALL");
        }
        Eventually.passes(() -> {
            try (RawClient client = tuned()) {
                assertThat(client.value("SHOW " + SHARDING)).isEqualTo("on");
            }
        });
    }

    @Test
    void showsAndKeepsToWhatTheDatabaseHas() {
        String database = Superuser.DEFAULT.database();
        try (RawClient client = cluster.login()) {
            client.succeed("ALTER DATABASE " + database + " SET tenantry.node = 'worker2'");
        }
        Eventually.passes(() -> {
            try (RawClient client = tuned()) {
                for (String use : List.of("SELECT", "SELECT * FROM w1.t", "SELECT * FROM w2.t")) {
                    client.succeed(use);
                    assertThat(client.value("SHOW tenantry.node")).isEqualTo("worker2");
                }
            }
        });
        try (RawClient client = tuned()) {
            client.succeed("CREATE SCHEMA second");
            String sql = "SELECT nodeport FROM citus_schemas WHERE schema_name::text = 'second'";
            assertThat(client.value(sql)).isEqualTo("" + cluster.worker(2).port());
            client.succeed("SET tenantry.node = 'worker1'");
            client.succeed("RESET tenantry.node");
            assertThat(client.value("SHOW tenantry.node")).isEqualTo("worker2");
            client.succeed("ALTER DATABASE " + database + " RESET tenantry.node");
        }
        Eventually.passes(() -> {
            try (RawClient client = tuned()) {
                assertThat(client.value("SHOW tenantry.node")).isEmpty();
            }
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void showsHowConnectionsAreUsedWhereNobodyHasSaid(boolean shared) {
        PoolLimits pool = shared ? PoolLimits.SHARED : PoolLimits.keeping(10);
        try (Tenantry proxy = cluster.another(ProxyLimits.forCores(1).withPool(pool));
                RawClient client =
                        RawClient.connect(cluster.host(), proxy.address().getPort())) {
            client.signIn(RawClient.PROTOCOL_3_0, PASSWORD, startup("tuned", Map.of()));
            String mode = shared ? "transaction" : "session";
            for (String use : List.of("SELECT", "SELECT * FROM w1.t", "SELECT * FROM w2.t")) {
                client.succeed(use);
                assertThat(client.value("SHOW tenantry.pool_mode")).isEqualTo(mode);
                assertThat(client.value("SELECT current_setting('tenantry.pool_mode')"))
                        .isEqualTo(mode);
            }
            client.succeed("SET tenantry.pool_mode = " + (shared ? "session" : "transaction"));
            assertThat(client.value("SHOW tenantry.pool_mode")).isNotEqualTo(mode);
            client.succeed("RESET tenantry.pool_mode");
            assertThat(client.value("SHOW tenantry.pool_mode")).isEqualTo(mode);
            assertThat(Message.rows(client.run("SHOW tenantry.pins"))).isEmpty();
        }
    }

    private static List<Message> inBlock(RawClient client, String sql) {
        client.succeed("BEGIN");
        List<Message> answer = client.run(sql);
        client.succeed("ROLLBACK");
        return answer;
    }

    private static RawClient tuned() {
        return RawClient.connect(cluster.host(), cluster.port())
                .signIn(RawClient.PROTOCOL_3_0, PASSWORD, startup("tuned", Map.of()));
    }

    private static Map<String, String> startup(String user, Map<String, String> more) {
        Map<String, String> startup = new HashMap<>(more);
        startup.put("user", user);
        startup.put("database", Superuser.DEFAULT.database());
        return startup;
    }
}
