package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.HeldRows;
import dev.tenantry.control.node.copy.MoveNames;
import dev.tenantry.control.node.copy.RowCopy;
import dev.tenantry.control.node.copy.SlotSnapshot;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.NodePlace;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The connections of one move, opened when first needed and closed together. Used by one thread. */
final class MoveConnections implements AutoCloseable {

    private final MoveServices services;
    private final Deque<ServerConnection> opened = new ArrayDeque<>();
    private final ServerConnection coordinator;
    private final NodePlace sourcePlace;
    private final NodePlace targetPlace;
    private final MoveNames names;
    private final MoveStore store;
    private final Source source;
    private final Target target;
    private @Nullable Source locker;
    private @Nullable ServerConnection decider;
    private @Nullable HeldRows heldRows;

    /** Opens those to the nodes of a move. */
    MoveConnections(MoveServices services, ServerConnection coordinator, MoveRow move) {
        this.services = services;
        this.coordinator = coordinator;
        this.store = new MoveStore(coordinator);
        this.names = new MoveNames(services.catalog().current().clusterId(), move.id());
        this.sourcePlace = place(move.sourceNodeId());
        this.targetPlace = place(move.targetNodeId());
        boolean complete = false;
        try {
            this.source = new Source(open(sourcePlace, services::open), names);
            this.target = new Target(open(targetPlace, services::open), names);
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private NodePlace place(int nodeId) {
        return store.node(nodeId)
                .orElseThrow(() -> new MoveFailedException(
                        "42704", "node with node id " + nodeId + " could not be found", "", ""));
    }

    private ServerConnection open(NodePlace place, Function<CoordinatorAddress, ServerConnection> opening) {
        return kept(opening.apply(address(place)));
    }

    private ServerConnection kept(ServerConnection connection) {
        opened.push(connection);
        return connection;
    }

    private CoordinatorAddress address(NodePlace place) {
        return services.coordinator().at(place.host(), place.port());
    }

    MoveNames names() {
        return names;
    }

    MoveStore store() {
        return store;
    }

    Source source() {
        return source;
    }

    Target target() {
        return target;
    }

    NodePlace sourcePlace() {
        return sourcePlace;
    }

    NodePlace targetPlace() {
        return targetPlace;
    }

    CoordinatorAddress sourceAddress() {
        return address(sourcePlace);
    }

    CoordinatorAddress targetAddress() {
        return address(targetPlace);
    }

    /** The connection to the coordinator. */
    ServerConnection coordinator() {
        return coordinator;
    }

    boolean sourceIsCoordinator() {
        return sourcePlace.groupId() == 0;
    }

    boolean targetIsCoordinator() {
        return targetPlace.groupId() == 0;
    }

    /** The one whose transactions lock tables of the source for moments. */
    Source locker() {
        if (locker == null) {
            locker = new Source(anotherToSource(), names);
        }
        return locker;
    }

    /** The one to the coordinator that decides the switch, unless that is the source's. */
    ServerConnection decider() {
        if (decider == null) {
            decider = kept(services.open(services.coordinator()));
        }
        return decider;
    }

    /** One more connection to the source, for what takes moments; closed with all. */
    ServerConnection anotherToSource() {
        return open(sourcePlace, services::open);
    }

    /** What the copy begins with; closed by the caller. */
    SlotSnapshot slotSnapshot() {
        return new SlotSnapshot(sourceAddress(), names);
    }

    /** Begins to copy rows over so many connections to each side; closed by the caller. */
    RowCopy rowCopy(RowCopy.Rows rows, int pairs) {
        return RowCopy.start(sourceAddress(), targetAddress(), names, rows, pairs);
    }

    /** Copies rows from the source to the target, over connections that nobody else uses. */
    HeldRows heldRows() {
        if (heldRows == null) {
            heldRows = new HeldRows(open(sourcePlace, services::open), open(targetPlace, services::open));
        }
        return heldRows;
    }

    /** Does something with a connection to the source that may take long. */
    void patientlyOnSource(Consumer<ServerConnection> work) {
        try (ServerConnection connection = services.openPatient(address(sourcePlace))) {
            work.accept(connection);
        }
    }

    /** Does something with a connection to the target that may take long. */
    void patientlyOnTarget(Consumer<ServerConnection> work) {
        try (ServerConnection connection = services.openPatient(address(targetPlace))) {
            work.accept(connection);
        }
    }

    @Override
    public void close() {
        opened.forEach(ServerConnection::close);
        opened.clear();
    }
}
