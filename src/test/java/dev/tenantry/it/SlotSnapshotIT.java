package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.node.copy.MoveNames;
import dev.tenantry.control.node.copy.SlotSnapshot;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Slots are made one after the other while transactions commit as fast as they can. Where the snapshots are read without
 * waiting, PostgreSQL 18 loses rows within seconds, and not only to who reads but for good. {@code -Dslots.seconds=N}
 * does it for longer.
 */
class SlotSnapshotIT {

    private static final int WRITERS = 4;
    private static final int READERS = 4;
    private static final int ACCOUNTS = 100;
    private static final long SECONDS = Long.getLong("slots.seconds", 6);
    private static final PostgresNode NODE = PostgresNode.start("slots");

    private final AtomicBoolean stop = new AtomicBoolean();
    private final AtomicLong confirmed = new AtomicLong();
    private final AtomicLong read = new AtomicLong();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    private record Sums(long balances, long entries) {}

    @BeforeAll
    static void create() throws SQLException {
        try (Connection connection = NODE.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL, filler text);
                    CREATE INDEX ON account (balance);
                    CREATE TABLE entry (id bigserial PRIMARY KEY, account int NOT NULL);
                    """);
            statement.execute(
                    "INSERT INTO account SELECT i, 0, repeat('x', 500) FROM generate_series(1, " + ACCOUNTS + ") i");
        }
    }

    @AfterAll
    static void stop() {
        NODE.close();
    }

    @Test
    void seesEveryTransactionWholeAndHarmsNone() throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
            int number = i;
            threads.add(Thread.ofPlatform().start(() -> run(() -> write(number))));
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        for (int i = 0; i < READERS; i++) {
            int number = i;
            threads.add(Thread.ofPlatform().start(() -> run(() -> snapshots(number, end))));
        }
        for (Thread thread : threads.reversed()) {
            thread.join();
            stop.compareAndSet(false, threads.indexOf(thread) == WRITERS);
        }
        assertThat(failures).isEmpty();
        assertThat(read).hasPositiveValue();
        try (Connection connection = NODE.connect();
                Statement statement = connection.createStatement()) {
            assertThat(sums(statement)).isEqualTo(new Sums(confirmed.get(), confirmed.get()));
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private void run(Work work) {
        try {
            work.run();
        } catch (Exception | AssertionError failed) {
            failures.add(failed);
            stop.set(true);
        }
    }

    private void write(int number) throws SQLException {
        try (Connection connection = NODE.connect();
                PreparedStatement update =
                        connection.prepareStatement("UPDATE account SET balance = balance + 1 WHERE id = ?");
                PreparedStatement insert = connection.prepareStatement("INSERT INTO entry (account) VALUES (?)")) {
            connection.setAutoCommit(false);
            for (int i = number; !stop.get(); i += WRITERS) {
                update.setInt(1, 1 + i % ACCOUNTS);
                insert.setInt(1, 1 + i % ACCOUNTS);
                assertThat(update.executeUpdate()).isEqualTo(1);
                insert.executeUpdate();
                connection.commit();
                confirmed.incrementAndGet();
            }
        }
    }

    private void snapshots(int number, long end) throws SQLException, InterruptedException {
        CoordinatorAddress address = CoordinatorAddress.parse(
                "postgresql://tenantry:tenantry@%s:%d/tenantry".formatted(NODE.host(), NODE.port()));
        try (Connection connection = NODE.connect();
                Statement statement = connection.createStatement()) {
            for (long i = 0; System.nanoTime() < end && !stop.get(); i++) {
                MoveNames names = new MoveNames("slots", number + READERS * i);
                try (SlotSnapshot slot = new SlotSnapshot(address, names)) {
                    statement.execute(
                            "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '" + slot.create() + "'");
                    Sums seen = sums(statement);
                    statement.execute("COMMIT");
                    assertThat(seen.balances()).isEqualTo(seen.entries());
                    read.incrementAndGet();
                }
                statement.execute("SELECT pg_drop_replication_slot('" + names.replication() + "')");
            }
        }
    }

    private static Sums sums(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery(
                "SELECT sum(balance), (SELECT count(*) FROM entry) FROM account HAVING count(*) = " + ACCOUNTS)) {
            assertThat(rows.next()).as("each account once").isTrue();
            return new Sums(rows.getLong(1), rows.getLong(2));
        }
    }
}
