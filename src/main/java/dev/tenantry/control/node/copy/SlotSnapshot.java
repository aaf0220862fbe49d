package dev.tenantry.control.node.copy;

import dev.tenantry.sql.SqlName;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.CopyConnection;
import java.time.Duration;

/**
 * A slot for logical replication and a snapshot of the rows as they are where it begins, for others to read by.
 *
 * <p>Who reads by such a snapshot at once can lose rows, and on the source itself: PostgreSQL makes it from the commits
 * in its log, and a transaction is in the log a moment before the server calls it committed. Whoever looks at a row in
 * that moment takes the transaction for aborted, and notes it on the row for all who come later (the discussion "Race
 * conditions in logical decoding" on pgsql-hackers, January 2026). So it is waited until all that the snapshot sees has
 * ended for the server too. Subscriptions that copy their tables themselves do not wait, so moves use none of those.
 */
public final class SlotSnapshot implements AutoCloseable {

    private static final Duration LOOK = Duration.ofMillis(1);

    private final CoordinatorAddress source;
    private final MoveNames names;
    private final CopyConnection replication;

    /** Connects; the snapshot can be used until this is closed. */
    public SlotSnapshot(CoordinatorAddress source, MoveNames names) {
        this.source = source;
        this.names = names;
        this.replication = CopyConnection.openForReplication(source, names.copies());
    }

    /**
     * Makes the slot, for which the server waits until every transaction has ended that is writing now, and returns
     * the name of the snapshot.
     */
    public String create() throws InterruptedException {
        try (CopyConnection looking = CopyConnection.open(source, names.copies())) {
            String snapshot = replication
                    .row("CREATE_REPLICATION_SLOT " + SqlName.quoted(names.replication())
                            + " LOGICAL pgoutput (SNAPSHOT 'export')")
                    .get(2);
            looking.row("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            looking.row("SET TRANSACTION SNAPSHOT " + SqlName.literal(snapshot));
            TransactionSnapshot exported = current(looking);
            looking.row("COMMIT");
            while (exported.isAheadOf(current(looking))) {
                Thread.sleep(LOOK);
            }
            return snapshot;
        }
    }

    /** Looks into no table, whatever the snapshot. */
    private static TransactionSnapshot current(CopyConnection connection) {
        return TransactionSnapshot.parse(
                connection.row("SELECT pg_current_snapshot()::text").getFirst());
    }

    /** Ends the snapshot, or the attempt to make the slot, from any thread; the slot stays if it was made. */
    @Override
    public void close() {
        replication.abort();
    }
}
