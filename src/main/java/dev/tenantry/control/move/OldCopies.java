package dev.tenantry.control.move;

import dev.tenantry.control.background.BackgroundLoop;
import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import dev.tenantry.store.move.MoveRow;
import dev.tenantry.store.move.MoveStore;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * Drops old copies of schemas that were kept, or that somebody still read, when their time is over; on a thread of its
 * own, since a node may be away and a large copy takes long. Does nothing while another proxy leads.
 */
final class OldCopies implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(OldCopies.class);
    private static final Duration LOOK = Duration.ofSeconds(15);

    private final MoveServices services;
    private final BooleanSupplier leads;
    private final BackgroundLoop loop = new BackgroundLoop("old-copies", LOOK, looping -> look());

    OldCopies(MoveServices services, BooleanSupplier leads) {
        this.services = services;
        this.leads = leads;
    }

    void start() {
        loop.start();
    }

    @Override
    public void close() {
        loop.close();
    }

    private void look() {
        if (!leads.getAsBoolean()) {
            return;
        }
        try (ServerConnection coordinator = services.open(services.coordinator())) {
            MoveStore store = new MoveStore(coordinator);
            Set<Integer> away = new HashSet<>();
            for (long id : store.overdue()) {
                MoveRow move = store.claim(id);
                if (!away.contains(move.sourceNodeId()) && !isDropped(coordinator, move)) {
                    away.add(move.sourceNodeId());
                }
            }
        }
    }

    private boolean isDropped(ServerConnection coordinator, MoveRow move) {
        try (MoveConnections connections = new MoveConnections(services, coordinator, move)) {
            new Remains(services, connections, move).dropOld();
            return true;
        } catch (CatalogUnavailableException | StatementRefusedException away) {
            LOG.infof("old copy can't be dropped now move=%d reason=%s", move.id(), away.getMessage());
            return false;
        }
    }
}
