package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.GuardedTables;
import dev.tenantry.control.node.copy.RowAccess;
import dev.tenantry.control.node.copy.RowCopy;
import dev.tenantry.control.node.copy.SignInRefusedException;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.TableSize;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore.Copied;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

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
     * @param guarded whose rows are not read or written with the control plane's rights
     * @param snapshot what is seen of the source
     */
    void run(String schema, Map<String, List<String>> columns, GuardedTables guarded, String snapshot)
            throws InterruptedException {
        Map<String, TableSize> sizes = connections.source().sizes(schema);
        sizes.keySet().retainAll(columns.keySet());
        Set<String> binary = connections.source().tablesInBinary(schema);
        int sessions = services.limits().copyConnections();
        Map<String, CoordinatorAddress> readers =
                connections.source().makeReaders(only(guarded.readers(), table -> isDivided(sizes, table)), sessions);
        Map<String, CoordinatorAddress> writers = connections
                .target()
                .makeWriters(schema, only(guarded.owners(), columns::containsKey), guarded.calls(), sessions);
        RowAccess access = new RowAccess(guarded.whole(), readers, writers);
        copy(new RowCopy.Rows(schema, columns, binary, sizes, snapshot, access, move.attempt()));
        if (!readers.isEmpty()) {
            connections.source().dropLogins();
        }
        if (!writers.isEmpty()) {
            connections.target().dropLogins();
        }
    }

    private static boolean isDivided(Map<String, TableSize> sizes, String table) {
        TableSize size = sizes.get(table);
        return size != null && RowCopy.isDivided(size);
    }

    private static Map<String, String> only(Map<String, String> owners, Predicate<String> tables) {
        Map<String, String> some = new HashMap<>(owners);
        some.keySet().removeIf(tables.negate());
        return some;
    }

    private void copy(RowCopy.Rows rows) throws InterruptedException {
        try (RowCopy copy = connections.rowCopy(rows, services.limits().copyConnections())) {
            Backoff backoff = new Backoff(LOOK_MIN, LOOK_MAX);
            while (!copy.await(backoff.next())) {
                note(copy.progress(), rows.sizes());
            }
            note(copy.progress(), rows.sizes());
        } catch (SignInRefusedException refused) {
            throw MoveFailedException.signIn(connections, rows.schema(), refused);
        } catch (StatementRefusedException refused) {
            throw CopyInvalidException.unlessLasting(refused, rows.schema());
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
