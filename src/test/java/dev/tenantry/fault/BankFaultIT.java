package dev.tenantry.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.cluster.DistributedEnd.Point;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import dev.tenantry.support.PostgresNode;
import dev.tenantry.support.ProxyProcess;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Transfers between accounts of schemas on two workers, while the proxy, a process of its own, the workers and the
 * coordinator are killed in turn at every point of a commit: the total never changes, no transfer that was confirmed is
 * lost, none happens on one node alone, and nothing stays prepared. {@code -Dbank.rounds} kills more often,
 * {@code -Dseed} otherwise.
 */
class BankFaultIT {
    private static final int ROUNDS = Integer.getInteger("bank.rounds", 10);
    private static final List<Blow> BLOWS = Stream.of(Point.values())
            .flatMap(point -> Stream.of(Victim.values()).map(victim -> new Blow(victim, point)))
            .toList();
    private static final int ACCOUNTS = 20;
    private static final int BALANCE = 1000;
    private static final int TELLERS = 4;
    private static final int CALM_TRANSFERS = 10;

    private final Cluster cluster = Cluster.start(2);
    private final AtomicLong numbers = new AtomicLong();
    private final Set<Long> confirmed = ConcurrentHashMap.newKeySet();
    private final Map<Long, String> ends = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable ProxyProcess> proxy = new AtomicReference<>();
    private volatile boolean open = true;

    /** What dies when a commit is that far. */
    private record Blow(Victim victim, Point point) {}

    private enum Victim {
        PROXY,
        FIRST,
        SECOND,
        COORDINATOR
    }

    @Test
    void neitherLosesNorMakesMoney() throws Exception {
        long seed = Long.getLong("seed", 5);
        Random random = new Random(seed);
        openBank();
        startProxy();
        ExecutorService tellers = Executors.newFixedThreadPool(TELLERS);
        List<Future<?>> work = new ArrayList<>();
        try {
            for (int i = 0; i < TELLERS; i++) {
                Random choices = new Random(random.nextLong());
                work.add(tellers.submit(() -> transferUntilClosed(choices)));
            }
            for (int round = 0; round < ROUNDS; round++) {
                Blow next = BLOWS.get(round % BLOWS.size());
                strike(next);
                int before = confirmed.size();
                Eventually.holds("transfers after " + next, () -> confirmed.size() > before + CALM_TRANSFERS);
            }
            open = false;
            for (Future<?> teller : work) {
                teller.get(1, TimeUnit.MINUTES);
            }
            Eventually.passes(this::nothingIsPrepared);
            checkBooks();
        } finally {
            open = false;
            tellers.shutdownNow();
            ProxyProcess last = proxy.get();
            if (last != null) {
                last.close();
            }
            cluster.close();
        }
    }

    private void openBank() throws SQLException {
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            for (int i = 1; i <= 2; i++) {
                statement.execute("SET tenantry.node = 'worker" + i + "'");
                statement.execute("CREATE SCHEMA bank_" + i);
                statement.execute("CREATE TABLE bank_" + i + ".account (id int PRIMARY KEY, balance int)");
                statement.execute("CREATE TABLE bank_" + i + ".transfer (number bigint PRIMARY KEY)");
                statement.execute("INSERT INTO bank_" + i + ".account SELECT i, " + BALANCE
                        + " FROM generate_series(1, " + ACCOUNTS + ") i");
            }
        }
    }

    private void startProxy() throws InterruptedException {
        proxy.set(ProxyProcess.start(cluster.nodes()));
    }

    private void strike(Blow blow) throws InterruptedException {
        ProxyProcess struck = Objects.requireNonNull(proxy.get());
        struck.hold(blow.point());
        struck.awaitHeld();
        if (blow.victim() == Victim.PROXY) {
            struck.close();
            startProxy();
        } else {
            node(blow.victim()).kill();
            struck.go();
            node(blow.victim()).restart();
        }
    }

    private PostgresNode node(Victim victim) {
        return switch (victim) {
            case FIRST -> cluster.worker(1);
            case SECOND -> cluster.worker(2);
            default -> cluster.coordinator();
        };
    }

    private void transferUntilClosed(Random random) {
        while (open) {
            try (Connection client = connect();
                    Statement statement = client.createStatement()) {
                client.setAutoCommit(false);
                while (open) {
                    transferOrGiveWay(client, statement, random);
                }
            } catch (SQLException dead) {
                assertThat(dead.getSQLState()).as("%s", dead).isNotNull();
            }
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:"
                + Objects.requireNonNull(proxy.get()).port()
                + "/tenantry?user=tenantry&password=tenantry&socketTimeout=20");
    }

    /** Accounts are locked in any order, so transfers may wait for each other. */
    private void transferOrGiveWay(Connection client, Statement statement, Random random) throws SQLException {
        try {
            transfer(client, statement, random);
        } catch (SQLException failed) {
            if (!"40P01".equals(failed.getSQLState())) {
                throw failed;
            }
            client.rollback();
        }
    }

    private void transfer(Connection client, Statement statement, Random random) throws SQLException {
        long number = numbers.incrementAndGet();
        int first = 1 + random.nextInt(2);
        try {
            transfer(client, statement, random, number, first);
        } catch (SQLException failed) {
            ends.put(number, "first " + first + ", " + failed.getSQLState() + " " + failed);
            throw failed;
        }
        ends.put(number, "first " + first + ", confirmed");
        confirmed.add(number);
    }

    private static void transfer(Connection client, Statement statement, Random random, long number, int first)
            throws SQLException {
        int amount = random.nextInt(100) - 50;
        for (int schema : List.of(first, 3 - first)) {
            statement.execute("UPDATE bank_" + schema + ".account SET balance = balance + "
                    + (schema == first ? amount : -amount) + " WHERE id = " + account(random));
            statement.execute("INSERT INTO bank_" + schema + ".transfer VALUES (" + number + ")");
        }
        client.commit();
    }

    private static int account(Random random) {
        return 1 + random.nextInt(ACCOUNTS);
    }

    private void nothingIsPrepared() throws SQLException {
        for (PostgresNode node : cluster.nodes()) {
            assertThat(numbers(node, "SELECT count(*) FROM pg_prepared_xacts")).containsExactly(0L);
        }
    }

    private void checkBooks() throws SQLException {
        Set<Long> first = new HashSet<>(numbers(cluster.worker(1), "SELECT number FROM bank_1.transfer"));
        Set<Long> second = new HashSet<>(numbers(cluster.worker(2), "SELECT number FROM bank_2.transfer"));
        Set<Long> halves = new TreeSet<>(first);
        halves.removeAll(second);
        second.stream().filter(number -> !first.contains(number)).forEach(halves::add);
        assertThat(halves)
                .as(() -> "transfers on one node alone: "
                        + halves.stream().map(ends::get).toList())
                .isEmpty();
        Set<Long> lost = new TreeSet<>(confirmed);
        lost.removeAll(first);
        assertThat(lost).as("confirmed transfers that are lost").isEmpty();
        long total = numbers(cluster.worker(1), "SELECT sum(balance) FROM bank_1.account")
                        .getFirst()
                + numbers(cluster.worker(2), "SELECT sum(balance) FROM bank_2.account")
                        .getFirst();
        assertThat(total).isEqualTo(2L * ACCOUNTS * BALANCE);
    }

    private static List<Long> numbers(PostgresNode node, String sql) throws SQLException {
        List<Long> found = new ArrayList<>();
        try (Connection connection = node.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                found.add(rows.getLong(1));
            }
        }
        return found;
    }
}
