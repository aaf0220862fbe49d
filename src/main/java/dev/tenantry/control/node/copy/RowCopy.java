package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.CopyConnection;
import dev.tenantry.store.ServerConnection;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Copies the rows of tables as one snapshot sees them, over several pairs of connections at a time, each on a virtual
 * thread. What is large is divided. Triggers, rules and foreign keys do not look at the rows.
 */
public final class RowCopy implements AutoCloseable {

    private static final long PART_BYTES = 32L << 20;

    private static final String SETTINGS = RowText.settings("SET");

    /** What is copied is made durable at the end, and all of it at once. */
    private static final String TARGET_SETTINGS = SETTINGS + "; SET synchronous_commit = off";

    /** May be set by superusers only; before the rows there are no triggers but those that somebody else has made. */
    private static final String WITHOUT_TRIGGERS = "SET session_replication_role = replica";

    private final CoordinatorAddress source;
    private final CoordinatorAddress target;
    private final MoveNames names;
    private final Rows rows;
    private final Queue<Part> waiting;
    private final List<Part> parts;
    private final List<CopyConnection> opened = new CopyOnWriteArrayList<>();
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    private final CountDownLatch running;

    /**
     * What is to be copied.
     *
     * @param schema where the tables are, on both sides
     * @param columns the columns that hold values, by table
     * @param binary the tables whose rows may go in COPY's binary format
     * @param sizes of these tables
     * @param snapshot what is to be seen, by the name under which it was exported
     * @param access in whose name tables are read and written; by the control plane, a table is read as a whole
     * @param attempt which copy of this move it is; see {@link Target#create}
     */
    public record Rows(
            String schema,
            Map<String, List<String>> columns,
            Set<String> binary,
            Map<String, TableSize> sizes,
            String snapshot,
            RowAccess access,
            int attempt) {}

    /**
     * How far it is.
     *
     * @param bytes as many as what has been copied takes on the source, about
     * @param tables that are there
     */
    public record Progress(long bytes, int tables) {}

    private static final class Part {
        private final TablePart rows;
        private final AtomicLong flowed = new AtomicLong();
        private volatile boolean done;

        private Part(TablePart rows) {
            this.rows = rows;
        }

        private long bytes() {
            return done ? rows.bytes() : Math.min(flowed.get(), rows.bytes());
        }
    }

    private RowCopy(CoordinatorAddress source, CoordinatorAddress target, MoveNames names, Rows rows, int pairs) {
        this.source = source;
        this.target = target;
        this.names = names;
        this.rows = rows;
        this.parts = rows.columns().entrySet().stream()
                .flatMap(table -> TablePart.of(
                        table.getKey(),
                        table.getValue(),
                        rows.binary().contains(table.getKey()),
                        rows.sizes().getOrDefault(table.getKey(), TableSize.NONE),
                        rows.access().whole().contains(table.getKey()) ? Long.MAX_VALUE : PART_BYTES)
                        .stream())
                .sorted(Comparator.comparingLong(TablePart::bytes).reversed())
                .map(Part::new)
                .toList();
        this.waiting = new ConcurrentLinkedQueue<>(parts);
        this.running = new CountDownLatch(Math.min(pairs, parts.size()));
    }

    /**
     * Begins.
     *
     * @param pairs how many pairs of connections may be used at a time
     */
    public static RowCopy start(
            CoordinatorAddress source, CoordinatorAddress target, MoveNames names, Rows rows, int pairs) {
        RowCopy copy = new RowCopy(source, target, names, rows, pairs);
        for (long i = copy.running.getCount(); i > 0; i--) {
            Thread.ofVirtual().name("copy-" + names.moveId() + "-" + i).start(copy::work);
        }
        return copy;
    }

    private void work() {
        Map<CoordinatorAddress, CopyConnection> readers = new HashMap<>();
        Map<CoordinatorAddress, CopyConnection> writers = new HashMap<>();
        try {
            for (Part part = waiting.poll(); part != null && failure.get() == null; part = waiting.poll()) {
                CoordinatorAddress asking =
                        part.rows.isWhole() ? source : rows.access().readers().getOrDefault(part.rows.table(), source);
                CoordinatorAddress writing = rows.access().writers().getOrDefault(part.rows.table(), target);
                CopyConnection from = readers.computeIfAbsent(asking, this::reader);
                copy(from, writers.computeIfAbsent(writing, this::writer), part);
            }
        } catch (RuntimeException failed) {
            fail(failed);
        } finally {
            readers.values().forEach(CopyConnection::close);
            writers.values().forEach(CopyConnection::close);
            running.countDown();
        }
    }

    private CopyConnection reader(CoordinatorAddress address) {
        CopyConnection from = opened(address);
        from.row(SETTINGS);
        from.row(TablesOnly.SESSION);
        return from;
    }

    private CopyConnection writer(CoordinatorAddress address) {
        CopyConnection to = opened(address);
        to.row(TARGET_SETTINGS);
        if (address.equals(target)) {
            to.row(WITHOUT_TRIGGERS);
        }
        return to;
    }

    private CopyConnection opened(CoordinatorAddress address) {
        CopyConnection connection = address.equals(source) || address.equals(target)
                ? CopyConnection.open(address, names.copies())
                : OwnerLogins.open(address, names.copies());
        opened.add(connection);
        if (failure.get() != null) {
            connection.abort();
        }
        return connection;
    }

    private void copy(CopyConnection from, CopyConnection to, Part part) {
        to.row("BEGIN");
        // Whoever has taken the move over has removed that row, and waits for this to end.
        if (to.row(Target.holdCopy(names, rows.attempt())).isEmpty()) {
            throw new CatalogUnavailableException("the copy is made by another proxy");
        }
        from.row("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        from.row("SET TRANSACTION SNAPSHOT " + SqlName.literal(rows.snapshot()));
        from.copy(part.rows.copyTo(rows.schema()), to, part.rows.copyFrom(rows.schema()), part.flowed::addAndGet);
        from.row("COMMIT");
        to.row("COMMIT");
        part.done = true;
    }

    private void fail(RuntimeException failed) {
        if (failure.compareAndSet(null, failed)) {
            opened.forEach(CopyConnection::abort);
        }
    }

    /**
     * Waits until all is there, but not for longer than this; true if it is.
     *
     * @throws RuntimeException what went wrong, as {@link CopyConnection} has it
     */
    public boolean await(Duration max) throws InterruptedException {
        boolean ended = running.await(max.toNanos(), TimeUnit.NANOSECONDS);
        RuntimeException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
        return ended;
    }

    /** How far it is now. */
    public Progress progress() {
        long bytes = parts.stream().mapToLong(Part::bytes).sum();
        Set<String> missing = parts.stream()
                .filter(Predicate.not(part -> part.done))
                .map(part -> part.rows.table())
                .collect(Collectors.toSet());
        return new Progress(bytes, rows.columns().size() - missing.size());
    }

    /** Ends what still runs; returns when nothing of it does. */
    @Override
    public void close() {
        fail(new CatalogUnavailableException("the copy was ended"));
        boolean interrupted = false;
        while (running.getCount() > 0) {
            try {
                running.await();
            } catch (InterruptedException stopped) {
                interrupted = true; // its threads end by themselves now
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether a table of that size is read by queries for its parts, if that may be. */
    public static boolean isDivided(TableSize size) {
        return size.bytes() > PART_BYTES;
    }

    /** Ends what another process still copies, or reads to copy, for this move on a server. */
    static void endOthers(ServerConnection connection, MoveNames names) {
        connection.query(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1",
                names.copies());
    }
}
