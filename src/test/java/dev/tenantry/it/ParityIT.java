package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.it.parity.Answer;
import dev.tenantry.it.parity.Entry;
import dev.tenantry.it.parity.Script;
import dev.tenantry.it.parity.Transcript;
import dev.tenantry.it.parity.Way;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import dev.tenantry.support.SuperuserLogin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A client inside one schema can't tell the proxy from a server: the corpus, said in every way the protocol has to a
 * plain server and to the proxy, is answered by the same messages. What must differ is listed in docs/compatibility.md
 * and is not in the corpus, or masked there with the reason.
 */
class ParityIT {

    private static final String SCHEMA = "parity";
    /** The last is known from the start, because a routine sets it on connections that other sessions use. */
    private static final Map<String, String> STARTUP = Map.of(
            "TimeZone",
            "Europe/Berlin",
            "options",
            "-c search_path=" + SCHEMA + " -c extra_float_digits=1 -c parity.x=begun");

    private static Cluster cluster;
    private static PostgresNode plain;

    @BeforeAll
    static void start() {
        cluster = Cluster.shared();
        plain = PostgresNode.start("plain");
        for (RawClient client : List.of(direct(Map.of()), proxied(Map.of()))) {
            client.succeed("CREATE ROLE parity_reader LOGIN");
            client.close();
        }
    }

    @AfterAll
    static void stop() {
        try (RawClient client = proxied(Map.of())) {
            client.succeed("DROP SCHEMA IF EXISTS " + SCHEMA + " CASCADE");
            client.succeed("DROP ROLE parity_reader");
        }
        plain.close();
    }

    static Stream<Arguments> scriptsInEveryWay() {
        return Script.all().stream().flatMap(script -> Stream.of(Way.values()).map(way -> Arguments.of(script, way)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("scriptsInEveryWay")
    void answersTheSame(Script script, Way way) {
        List<Answer> expected;
        List<Answer> actual;
        List<String> expectedNotifications;
        List<String> actualNotifications;
        String name = script + " " + way;
        try (RawClient client = fresh(name, ParityIT::direct)) {
            expected = way.run(client, script);
            expectedNotifications = notifications(expected, client);
        }
        try (RawClient client = fresh(name, ParityIT::proxied)) {
            actual = way.run(client, script);
            actualNotifications = notifications(actual, client);
        }
        assertThat(differences(expected, actual)).as("%s %s", script, way).isEmpty();
        if (way == Way.BATCHES) {
            // A server that works through a whole batch finds no time before an UNLISTEN in it.
            assertThat(actualNotifications).containsSubsequence(expectedNotifications);
        } else {
            assertThat(actualNotifications).isEqualTo(expectedNotifications);
        }
    }

    @Test
    void reportsTheSameParametersAtStart() {
        try (RawClient one = fresh("parity", ParityIT::direct);
                RawClient other = fresh("parity", ParityIT::proxied)) {
            assertThat(other.parameters()).isEqualTo(one.parameters());
        }
    }

    /** A session in an empty schema. */
    private static RawClient fresh(String name, Function<Map<String, String>, RawClient> login) {
        try (RawClient maker = login.apply(Map.of())) {
            maker.succeed("DROP SCHEMA IF EXISTS " + SCHEMA + " CASCADE");
            maker.succeed("CREATE SCHEMA " + SCHEMA);
            maker.succeed("GRANT USAGE ON SCHEMA " + SCHEMA + " TO parity_reader");
        }
        Map<String, String> startup = new HashMap<>(STARTUP);
        startup.put("application_name", name);
        return login.apply(startup);
    }

    private static RawClient direct(Map<String, String> startup) {
        return SuperuserLogin.at(plain.host(), plain.port(), startup);
    }

    private static RawClient proxied(Map<String, String> startup) {
        return SuperuserLogin.at(cluster.host(), cluster.port(), startup);
    }

    /** All that have come when the session's last block has ended. */
    private static List<String> notifications(List<Answer> answers, RawClient client) {
        List<Answer> all = new ArrayList<>(answers);
        all.add(new Answer(List.of(), client.run("ROLLBACK")));
        return Transcript.notifications(all);
    }

    private static List<String> differences(List<Answer> expected, List<Answer> actual) {
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            List<String> proxied = Transcript.of(actual.get(i));
            List<String> direct = Transcript.withoutSource(Transcript.of(expected.get(i)), proxied);
            if (!direct.equals(proxied)) {
                String said =
                        expected.get(i).entries().stream().map(Entry::sql).collect(Collectors.joining("\n  --\n"));
                differences.add("\nsaid:\n" + said + "\ndirect:\n  " + String.join("\n  ", direct) + "\nproxied:\n  "
                        + String.join("\n  ", proxied) + "\n");
            }
        }
        return differences;
    }
}
