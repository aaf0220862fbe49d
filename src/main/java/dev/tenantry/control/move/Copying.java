package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.GuardedTables;
import dev.tenantry.control.node.copy.RowCopy;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.TableSize;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore.Copied;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Copies the rows and tells how far that is. */
final class Copying {

    private static final Duration LOOK_MIN = Duration.ofMillis(20);
    private static final Duration LOOK_MAX = Duration.ofMillis(250);

    private final MoveServices services;
    private final MoveConnections connections;
    private final MoveRow move;
    private final Pace pace = new Pace();
    private final Headway headway;

    Copying(MoveServices services, MoveConnections connections, MoveRow move) {
        this.services = services;
        this.connections = connections;
        this.move = move;
        this.headway = new Headway(services.limits().catchUpMax());
    }

    /**
     * Returns when all rows are there.
     *
     * @param columns the columns that hold values, by table
     * @param guarded whose rows are not written with the control plane's rights
     * @param snapshot what is seen of the source
     */
    void run(String schema, Map<String, List<String>> columns, GuardedTables guarded, String snapshot)
            throws InterruptedException {
        Map<String, TableSize> sizes = connections.source().sizes(schema);
        sizes.keySet().retainAll(columns.keySet());
        Set<String> binary = connections.source().tablesInBinary(schema);
        Map<String, String> owners = new HashMap<>(guarded.owners());
        owners.keySet().retainAll(columns.keySet());
        Map<String, CoordinatorAddress> logins = connections.target().makeLogins(schema, owners);
        copy(new RowCopy.Rows(schema, columns, binary, sizes, snapshot, logins, move.attempt()));
        if (!logins.isEmpty()) {
            connections.target().dropLogins();
        }
    }

    private void copy(RowCopy.Rows rows) throws InterruptedException {
        try (RowCopy copy = connections.rowCopy(rows, services.limits().copyConnections())) {
            Backoff backoff = new Backoff(LOOK_MIN, LOOK_MAX);
            while (!copy.await(backoff.next())) {
                note(copy.progress(), rows.sizes());
            }
            note(copy.progress(), rows.sizes());
        } catch (StatementRefusedException refused) {
            if (!rows.logins().isEmpty() && refused.sqlState().startsWith(SqlStates.INVALID_AUTHORIZATION)) {
                throw signInRefused(rows, refused);
            }
            throw CopyInvalidException.unlessOther(refused, rows.schema());
        }
    }

    private MoveFailedException signInRefused(RowCopy.Rows rows, StatementRefusedException refused) {
        return new MoveFailedException(
                refused.sqlState(),
                "schema %s cannot be moved: node \"%s\" lets no role sign in that writes the rows of table %s"
                        .formatted(
                                move.schema(),
                                connections.targetPlace().name(),
                                Source.qualified(
                                        rows.schema(),
                                        Collections.min(rows.logins().keySet()))),
                refused.error(),
                "The table calls functions, so a role is made that has no more rights than its owner. Let pg_hba.conf"
                        + " there admit roles called %s... by scram-sha-256 from where the proxies run."
                                .formatted(connections.names().logins()));
    }

    private void note(RowCopy.Progress progress, Map<String, TableSize> sizes) {
        long total = sizes.values().stream().mapToLong(TableSize::bytes).sum();
        long left = total - progress.bytes();
        pace.note(System.nanoTime(), left);
        connections
                .store()
                .copied(move, new Copied(progress.bytes(), total, progress.tables(), sizes.size()), pace.left());
        if (!headway.note(System.nanoTime(), left)) {
            throw new MoveFailedException(
                    SqlStates.INSUFFICIENT_RESOURCES,
                    "schema %s cannot be moved: its rows do not arrive on node \"%s\""
                            .formatted(move.schema(), connections.targetPlace().name()),
                    "%d bytes are left to copy, about as many as before, for %d s."
                            .formatted(left, services.limits().catchUpMax().toSeconds()),
                    "See what the sessions \"%s\" of both nodes wait for."
                            .formatted(connections.names().copies()));
        }
    }
}
