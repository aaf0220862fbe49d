package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.RowCopy;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.TableSize;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore.Copied;
import java.time.Duration;
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
     * @param snapshot what is seen of the source
     */
    void run(String schema, Map<String, List<String>> columns, String snapshot) throws InterruptedException {
        Map<String, TableSize> sizes = connections.source().sizes(schema);
        sizes.keySet().retainAll(columns.keySet());
        Set<String> binary = connections.source().tablesInBinary(schema);
        RowCopy.Rows rows = new RowCopy.Rows(schema, columns, binary, sizes, snapshot, move.attempt());
        try (RowCopy copy = connections.rowCopy(rows, services.limits().copyConnections())) {
            Backoff backoff = new Backoff(LOOK_MIN, LOOK_MAX);
            while (!copy.await(backoff.next())) {
                note(copy.progress(), sizes);
            }
            note(copy.progress(), sizes);
        } catch (StatementRefusedException refused) {
            throw CopyInvalidException.unlessOther(refused, schema);
        }
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
