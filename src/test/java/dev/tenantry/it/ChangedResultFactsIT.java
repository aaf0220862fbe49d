package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What PostgreSQL itself says when the result of a prepared statement has changed: what the proxy must say. */
class ChangedResultFactsIT {

    private static final Path DEBIAN_15 = Path.of("/usr/lib/postgresql/15/bin");

    private static final Map<Server, PostgresNode> NODES = new EnumMap<>(Server.class);

    /** Servers, by how old they are. */
    enum Server {
        OLDEST,
        NEWEST
    }

    private static PostgresNode node(Server server) {
        assumeThat(server == Server.NEWEST || Files.isDirectory(DEBIAN_15)).isTrue();
        return NODES.computeIfAbsent(
                server,
                which -> which == Server.NEWEST
                        ? PostgresNode.start("newest")
                        : PostgresNode.start("oldest", DEBIAN_15));
    }

    @AfterAll
    static void stop() {
        NODES.values().forEach(PostgresNode::close);
    }

    static Stream<Arguments> changes() {
        return Stream.of(Server.values())
                .flatMap(server -> Stream.of(PreparedHow.values())
                        .flatMap(how -> Stream.concat(ChangedResult.ALL.stream(), ChangedResult.UNSEEN.stream())
                                .filter(how::can)
                                .map(change -> Arguments.of(server, how, change))));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void saysSo(Server server, PreparedHow how, ChangedResult change) {
        with(server, client -> {
            how.prepare(client, change.statement());
            change(server, change.change());
            assertThat(how.run(client)).isEqualTo(change.sqlState());
        });
    }

    @ParameterizedTest
    @EnumSource
    void saysItAsLongAsItIsTrue(Server server) {
        with(server, client -> {
            client.parse("s", "SELECT * FROM t").sync().readUntilReady();
            change(server, List.of("ALTER TABLE t ADD COLUMN more int"));
            assertThat(Message.only(client.describe('S', "s").sync().readUntilReady(), 'E')
                            .fields())
                    .containsEntry('C', "0A000")
                    .containsEntry('M', "cached plan must not change result type")
                    .containsEntry('R', "RevalidateCachedQuery");
            change(server, List.of("ALTER TABLE t DROP COLUMN more"));
            assertThat(Message.types(client.bind("", "s").execute("", 0).sync().readUntilReady()))
                    .isEqualTo("2DCZ");
        });
    }

    @ParameterizedTest
    @EnumSource
    void comparesWithWhatWasPreparedWhoeverWasTold(Server server) {
        with(server, client -> {
            client.run("BEGIN");
            client.run("ALTER TABLE t ADD COLUMN more int");
            client.parse("s", "SELECT * FROM t").sync().readUntilReady();
            client.run("ROLLBACK");
            assertThat(Message.only(client.bind("", "s").execute("", 0).sync().readUntilReady(), 'E')
                            .sqlState())
                    .isEqualTo("0A000");
        });
    }

    @ParameterizedTest
    @EnumSource
    void changesNothingThatAPortalUses(Server server) {
        with(server, client -> {
            client.run("BEGIN");
            client.parse("s", "SELECT * FROM t").bind("p", "s").sync().readUntilReady();
            assertThat(Message.only(client.run("ALTER TABLE t ADD COLUMN more int"), 'E')
                            .sqlState())
                    .isEqualTo("55006");
        });
    }

    @ParameterizedTest
    @EnumSource
    void failsTheBlock(Server server) {
        with(server, client -> {
            client.parse("s", "SELECT * FROM t").sync().readUntilReady();
            change(server, List.of("ALTER TABLE t ADD COLUMN more int"));
            client.run("BEGIN");
            client.run("SAVEPOINT a");
            List<Message> answer = client.bind("", "s").execute("", 0).sync().readUntilReady();
            assertThat(Message.types(answer)).isEqualTo("EZ");
            assertThat(answer.getLast().text()).isEqualTo("E");
            assertThat(Message.only(client.run("SELECT 1"), 'E').sqlState()).isEqualTo("25P02");
            client.run("ROLLBACK TO a");
            assertThat(client.value("SELECT id FROM t")).isEqualTo("1");
        });
    }

    @ParameterizedTest
    @EnumSource
    void looksAgainByTheSearchPathOfTheMoment(Server server) {
        with(server, client -> {
            client.run("CREATE SCHEMA other");
            client.run("CREATE TABLE other.t (id int, name varchar(10))");
            client.parse("same", "SELECT id, name FROM t").sync().readUntilReady();
            client.parse("another", "SELECT * FROM t").sync().readUntilReady();
            client.run("SET search_path TO other");
            assertThat(Message.types(
                            client.bind("", "same").execute("", 0).sync().readUntilReady()))
                    .isEqualTo("2CZ");
            assertThat(Message.only(
                                    client.bind("", "another")
                                            .execute("", 0)
                                            .sync()
                                            .readUntilReady(),
                                    'E')
                            .sqlState())
                    .isEqualTo("0A000");
        });
    }

    /** FETCH is not analysed again, and has the columns that its cursor has by then. */
    @ParameterizedTest
    @EnumSource
    void fetchesFromAnotherCursorOfTheName(Server server) {
        with(server, client -> {
            client.run("BEGIN");
            client.run("DECLARE c CURSOR FOR SELECT 1");
            client.parse("f", "FETCH c").sync().readUntilReady();
            client.run("CLOSE c");
            client.run("DECLARE c CURSOR FOR SELECT 'one', 2");
            assertThat(Message.types(client.bind("", "f").execute("", 0).sync().readUntilReady()))
                    .isEqualTo("2DCZ");
        });
    }

    /** Nothing tells the plan that the function's rows have changed, until it is thrown away for another reason. */
    @ParameterizedTest
    @EnumSource
    void noticesNoChangeOfWhatAFunctionReturns(Server server) {
        with(server, client -> {
            client.parse("s", "SELECT * FROM f()").sync().readUntilReady();
            change(server, List.of("ALTER TABLE t ADD COLUMN more int"));
            assertThat(Message.types(client.bind("", "s").execute("", 0).sync().readUntilReady()))
                    .isEqualTo("2DCZ");
            client.run("CREATE SCHEMA other");
            client.run("SET search_path TO changed, other");
            assertThat(Message.only(client.bind("", "s").execute("", 0).sync().readUntilReady(), 'E')
                            .sqlState())
                    .isEqualTo("0A000");
        });
    }

    @ParameterizedTest
    @EnumSource
    void refusesToCallAnotherProcedureOfTheName(Server server) {
        with(server, client -> {
            client.run("CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS 'SELECT 1'");
            client.parse("c", "CALL p(1)").sync().readUntilReady();
            client.run("DROP PROCEDURE p");
            client.run("CREATE PROCEDURE p(INOUT a bigint) LANGUAGE sql AS 'SELECT 1::bigint'");
            assertThat(Message.only(client.bind("", "c").execute("", 0).sync().readUntilReady(), 'E')
                            .sqlState())
                    .isEqualTo("0A000");
        });
    }

    private static void change(Server server, List<String> statements) {
        try (RawClient other = login(server)) {
            other.run("SET search_path TO changed");
            statements.forEach(sql -> other.succeed(sql));
        }
    }

    private static void with(Server server, Consumer<RawClient> test) {
        try (RawClient client = login(server)) {
            client.run("DROP SCHEMA IF EXISTS changed, other CASCADE");
            client.succeed("CREATE SCHEMA changed");
            client.succeed("SET search_path TO changed");
            ChangedResult.made().forEach(sql -> client.succeed(sql));
            test.accept(client);
        }
    }

    private static RawClient login(Server server) {
        Superuser superuser = Superuser.DEFAULT;
        return RawClient.login(
                node(server).host(), node(server).port(), superuser.name(), superuser.password(), superuser.database());
    }
}
