package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.HeldRows;
import dev.tenantry.control.node.copy.MoveNames;
import dev.tenantry.control.node.copy.RowCopy;
import dev.tenantry.control.node.copy.SlotSnapshot;
import dev.tenantry.control.node.copy.Source;
import dev.tenantry.control.node.copy.SqlStates;
import dev.tenantry.control.node.copy.Target;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import dev.tenantry.store.move.MoveStore.NodePlace;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The connections of one move, opened when first needed and closed together. Used by one thread. */
final class MoveConnections implements AutoCloseable {

    private final MoveServices services;
    private final Deque<ServerConnection> opened = new ArrayDeque<>();
    private final ServerConnection coordinator;
    private final Optional<NodePlace> sourcePlace;
    private final Optional<NodePlace> targetPlace;
    private final MoveNames names;
    private final MoveStore store;
    private @Nullable Source source;
    private @Nullable Target target;
    private @Nullable Source locker;
    private @Nullable ServerConnection decider;
    private @Nullable HeldRows heldRows;

    MoveConnections(MoveServices services, ServerConnection coordinator, MoveRow move) {
        this.services = services;
        this.coordinator = coordinator;
        this.store = new MoveStore(coordinator);
        this.names = new MoveNames(services.catalog().current().clusterId(), move.id());
        this.sourcePlace = store.node(move.sourceNodeId());
        this.targetPlace = store.node(move.targetNodeId());
    }

    private ServerConnection open(NodePlace place) {
        return kept(services.open(address(place)));
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

    /** False when the source has been removed from the cluster; then nothing may be asked about it. */
    boolean hasSource() {
        return sourcePlace.isPresent();
    }

    /** False when the target has been removed from the cluster; then nothing may be asked about it. */
    boolean hasTarget() {
        return targetPlace.isPresent();
    }

    Source source() {
        if (source == null) {
            source = new Source(open(sourcePlace()), names);
        }
        return source;
    }

    Target target() {
        if (target == null) {
            target = new Target(open(targetPlace()), names);
        }
        return target;
    }

    NodePlace sourcePlace() {
        return sourcePlace.orElseThrow(() -> removed("source"));
    }

    NodePlace targetPlace() {
        return targetPlace.orElseThrow(() -> removed("target"));
    }

    /** For the log. */
    String sourceName() {
        return sourcePlace.map(NodePlace::name).orElse("removed");
    }

    /** For the log. */
    String targetName() {
        return targetPlace.map(NodePlace::name).orElse("removed");
    }

    private static MoveFailedException removed(String which) {
        return new MoveFailedException(
                SqlStates.UNDEFINED_OBJECT, "the " + which + " of the move has been removed from the cluster", "", "");
    }

    CoordinatorAddress sourceAddress() {
        return address(sourcePlace());
    }

    CoordinatorAddress targetAddress() {
        return address(targetPlace());
    }

    /** The connection to the coordinator. */
    ServerConnection coordinator() {
        return coordinator;
    }

    boolean sourceIsCoordinator() {
        return sourcePlace().groupId() == 0;
    }

    boolean targetIsCoordinator() {
        return targetPlace().groupId() == 0;
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
        return open(sourcePlace());
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
            heldRows = new HeldRows(open(sourcePlace()), open(targetPlace()));
        }
        return heldRows;
    }

    /** Does something with a connection to the source that may take long. */
    void patientlyOnSource(Consumer<ServerConnection> work) {
        try (ServerConnection connection = services.openPatient(sourceAddress())) {
            work.accept(connection);
        }
    }

    /** Does something with a connection to the target that may take long. */
    void patientlyOnTarget(Consumer<ServerConnection> work) {
        try (ServerConnection connection = services.openPatient(targetAddress())) {
            work.accept(connection);
        }
    }

    @Override
    public void close() {
        opened.forEach(ServerConnection::close);
        opened.clear();
    }
}
