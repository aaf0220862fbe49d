package dev.tenantry.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.embedded.Superuser;
import dev.tenantry.proxy.pool.PoolLimits;
import dev.tenantry.proxy.server.ProxyLimits;
import dev.tenantry.proxy.server.ProxyServer;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Message;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.RawClient;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Random sessions, said to the proxy with four schemas on two workers and to one plain server with the same four: the
 * same rows, tags, SQLSTATEs and transaction status. Every schema holds its own name, so a row of another tenant shows.
 *
 * <p>A script ends where the proxy refuses what takes two nodes (0A000). The scripts are the same each time;
 * {@code -Dseed} makes others, {@code -Dfuzz.scripts} more of them.
 */
class SessionFuzzIT {

    private static final int SCRIPTS = Integer.getInteger("fuzz.scripts", 100);
    private static final int TAKEN_SCRIPTS = Math.max(1, SCRIPTS / 10);
    private static final int STEPS = 40;
    private static final int LONG_MILLIS = 60_000;
    private static final long PATIENCE_NANOS = 20_000_000;
    private static final String CHANGED = " for a changed result";
    private static final String USER = "fuzz_user";
    private static final String ROLE = "fuzz_role";
    private static final List<String> FIRST = List.of("fuzz_a", "fuzz_b");
    private static final List<String> SECOND = List.of("fuzz_c", "fuzz_d");
    private static final List<String> ALL = List.of("fuzz_a", "fuzz_b", "fuzz_c", "fuzz_d");

    /** With what clients begin, and so what RESET goes back to. */
    private static final List<Map<String, String>> STARTUPS = List.of(
            Map.of(),
            Map.of("application_name", "fuzz", "DateStyle", "ISO"),
            Map.of("options", "-c search_path=fuzz_b -c work_mem=5MB", "DateStyle", "SQL, DMY"),
            Map.of("search_path", "fuzz_d", "options", "-c tenantry_fuzz.x=begun -c extra_float_digits=2"));

    private static final Map<String, String> THIEF =
            Map.of("application_name", "thief", "DateStyle", "German", "options", "-c search_path=fuzz_a,fuzz_c");

    private static Cluster cluster;
    private static PostgresNode plain;

    @BeforeAll
    static void start() {
        cluster = Cluster.start(2);
        plain = PostgresNode.start("plain");
        Superuser superuser = Superuser.DEFAULT;
        try (RawClient proxy = login(cluster.host(), cluster.port(), superuser.name(), superuser.password());
                RawClient server = login(plain.host(), plain.port(), superuser.name(), superuser.password())) {
            both(proxy, server, "CREATE ROLE " + USER + " SUPERUSER LOGIN PASSWORD '" + USER + "'");
            both(proxy, server, "CREATE ROLE " + ROLE);
            FIRST.forEach(schema -> make(proxy, server, schema, "worker1"));
            SECOND.forEach(schema -> make(proxy, server, schema, "worker2"));
        }
    }

    @AfterAll
    static void stop() {
        cluster.close();
        plain.close();
    }

    private static void make(RawClient proxy, RawClient server, String schema, String node) {
        succeeds(proxy, "SET tenantry.node = '" + node + "'");
        both(proxy, server, "CREATE SCHEMA " + schema);
        both(proxy, server, "CREATE TABLE " + schema + ".t (id int PRIMARY KEY, owner text, n int)");
        both(proxy, server, "CREATE SEQUENCE " + schema + ".sq");
        both(proxy, server, "CREATE FUNCTION " + schema + ".whoami() RETURNS text RETURN '" + schema + "'");
        both(proxy, server, "GRANT USAGE ON SCHEMA " + schema + " TO " + ROLE);
        both(proxy, server, "GRANT SELECT, UPDATE ON " + schema + ".t TO " + ROLE);
    }

    private static RawClient login(String host, int port) {
        return login(host, port, USER, USER);
    }

    private static RawClient login(String host, int port, Map<String, String> startup) {
        Map<String, String> all = new HashMap<>(startup);
        all.putAll(Map.of("user", USER, "database", Superuser.DEFAULT.database()));
        return RawClient.connect(host, port).signIn(RawClient.PROTOCOL_3_0, USER, all);
    }

    private static RawClient login(String host, int port, String user, String password) {
        return RawClient.login(host, port, user, password, Superuser.DEFAULT.database());
    }

    private static void both(RawClient proxy, RawClient server, String sql) {
        succeeds(proxy, sql);
        succeeds(server, sql);
    }

    private static void succeeds(RawClient client, String sql) {
        assertThat(client.run(sql)).as(sql).noneMatch(message -> message.type() == 'E');
    }

    @Test
    void answersLikeOneServer() {
        run(cluster.host(), cluster.port(), SCRIPTS, () -> {});
    }

    /** There is one connection to each node, and before every statement another session takes what it can get. */
    @Test
    void answersLikeOneServerWhileItsConnectionsAreTaken() throws IOException {
        PoolLimits shared = PoolLimits.keeping(1).sharing(new PoolLimits.Sharing(1, LONG_MILLIS, 10));
        AtomicInteger taken = new AtomicInteger();
        try (ProxyServer proxy = cluster.anotherProxy(ProxyLimits.forCores(1).withPool(shared), point -> {});
                RawClient thief =
                        login(proxy.address().getHostString(), proxy.address().getPort(), THIEF)) {
            run(proxy.address().getHostString(), proxy.address().getPort(), TAKEN_SCRIPTS, () -> {
                for (String schema : List.of(FIRST.getFirst(), SECOND.getFirst())) {
                    taken.addAndGet(takes(proxy, thief, schema) ? 1 : 0);
                }
            });
        }
        assertThat(taken.get()).as("connections taken").isGreaterThan(TAKEN_SCRIPTS * STEPS / 4);
    }

    /** Uses the connection to a schema's node, or gives up: a transaction or what is on it can keep it where it is. */
    private static boolean takes(ProxyServer proxy, RawClient thief, String schema) {
        thief.query("SELECT FROM " + schema + ".t").flushOut();
        long patience = System.nanoTime() + PATIENCE_NANOS;
        while (!thief.hasInput() && System.nanoTime() < patience) {
            Thread.onSpinWait();
        }
        if (!thief.hasInput()) {
            try (RawClient canceller = RawClient.connect(
                    proxy.address().getHostString(), proxy.address().getPort())) {
                canceller.requestCancel(thief.processId(), thief.secretKey());
                assertThat(canceller.readToEnd()).isEmpty();
            }
        }
        List<Message> answer = thief.readUntilReady();
        if (!Message.types(answer).startsWith("T")) {
            assertThat(Message.only(answer, 'E').sqlState()).isEqualTo("57014");
            return false;
        }
        for (String name : SessionScripts.STATEMENTS) { // so that who had it must prepare it again
            thief.parse(name, "SELECT FROM " + schema + ".t");
            thief.close('S', name);
        }
        assertThat(Message.types(thief.sync().readUntilReady())).matches("(13)+Z");
        return true;
    }

    private static void run(String host, int port, int scripts, Runnable before) {
        long seed = Long.getLong("seed", 2);
        Random seeds = new Random(seed);
        int whole = 0;
        for (int i = 0; i < scripts; i++) {
            reset();
            whole += script(host, port, seeds.nextLong(), before) ? 1 : 0;
        }
        assertThat(whole).as("scripts that ran to their end, of seed %s", seed).isGreaterThan(scripts / 4);
    }

    /** The data as it was: what ran before may have ended between the two. */
    private static void reset() {
        try (RawClient proxy = login(cluster.host(), cluster.port());
                RawClient server = login(plain.host(), plain.port())) {
            for (String schema : ALL) {
                both(proxy, server, "DROP TABLE IF EXISTS " + schema + ".made");
                both(proxy, server, "ALTER TABLE " + schema + ".t DROP COLUMN IF EXISTS more");
                both(proxy, server, "TRUNCATE " + schema + ".t");
                both(proxy, server, "ALTER SEQUENCE " + schema + ".sq RESTART");
                both(
                        proxy,
                        server,
                        "INSERT INTO " + schema + ".t SELECT i, '" + schema + "', 0 FROM generate_series(1, 3) i");
            }
        }
    }

    /** Whether it ran to its end. */
    private static boolean script(String host, int port, long seed, Runnable before) {
        Random random = new Random(seed);
        boolean oneNode = random.nextInt(3) > 0;
        List<String> schemas = oneNode ? random.nextBoolean() ? FIRST : SECOND : ALL;
        SessionScripts scripts = new SessionScripts(random, schemas, ROLE, oneNode, oneNode && random.nextBoolean());
        List<String> said = new ArrayList<>();
        Map<String, String> startup = STARTUPS.get(Math.floorMod(seed, STARTUPS.size()));
        try (RawClient proxy = login(host, port, startup);
                RawClient server = login(plain.host(), plain.port(), startup)) {
            both(proxy, server, "SET search_path TO " + schemas.get(0));
            for (int i = 0; i < STEPS; i++) {
                SessionScripts.Step step = scripts.next();
                said.add(step.label());
                before.run();
                List<String> expected = seen(answer(step, server, "the server", seed, said));
                List<String> found = seen(answer(step, proxy, "the proxy", seed, said));
                if (!found.equals(expected) && found.contains("E 0A000")) {
                    return false;
                }
                if (!found.equals(expected)
                        && found.contains("E 55000")
                        && step.label().contains("currval")) {
                    return false; // of a connection that is another session's now
                }
                if (!found.equals(expected)
                        && found.contains("E 25001")
                        && step.label().startsWith("BEGIN")) {
                    return false; // in a block to which settings were brought
                }
                if (!found.equals(expected) && isError(found) && isError(expected) && step.prepares()) {
                    return false; // wrong in two ways, of which another one is seen first
                }
                assertThat(found)
                        .as("script of seed %sL:%n%s", seed, String.join("\n", said))
                        .isEqualTo(expected);
            }
        }
        return true;
    }

    private static boolean isError(List<String> seen) {
        return seen.stream().anyMatch(line -> line.startsWith("E "));
    }

    private static List<Message> answer(
            SessionScripts.Step step, RawClient client, String who, long seed, List<String> said) {
        try {
            return step.action().apply(client);
        } catch (RuntimeException failed) {
            throw new AssertionError(
                    who + " did not answer; script of seed " + seed + "L:\n" + String.join("\n", said), failed);
        }
    }

    /** What must be the same: everything but texts of errors, notices, and what a server numbers itself. */
    private static List<String> seen(List<Message> answer) {
        List<String> seen = new ArrayList<>();
        for (Message message : answer) {
            switch (message.type()) {
                case 'E' -> seen.add("E " + message.sqlState() + (isChangedResult(message) ? CHANGED : ""));
                case 'D', 'd', 'C', 'Z' -> seen.add(message.type() + " " + message.text());
                case 'T' -> seen.add("T " + columns(message));
                case 'N', 'S' -> {
                    // said when they change, and what changes is asked for
                }
                default -> seen.add("" + message.type());
            }
        }
        return seen;
    }

    /** Not what the proxy refuses by the same SQLSTATE. */
    private static boolean isChangedResult(Message error) {
        return "RevalidateCachedQuery".equals(error.fields().get('R'));
    }

    private static List<String> columns(Message description) {
        ByteBuffer in = description.reader();
        List<String> columns = new ArrayList<>();
        for (int left = in.getShort(); left > 0; left--) {
            int start = in.position();
            int end = start;
            while (in.get(end) != 0) {
                end++;
            }
            columns.add(new String(description.body(), start, end - start, StandardCharsets.UTF_8));
            in.position(end + 19);
        }
        return columns;
    }
}
