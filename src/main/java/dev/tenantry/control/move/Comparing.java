package dev.tenantry.control.move;

import dev.tenantry.control.move.MoveLimits.Comparison;
import dev.tenantry.control.node.copy.RowComparison;
import dev.tenantry.control.node.copy.SignInRefusedException;
import dev.tenantry.store.CoordinatorAddress;
import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Compares the rows of both sides, over roles on the source that it makes and, when it is closed, removes. */
final class Comparing implements AutoCloseable {

    private final MoveServices services;
    private final MoveConnections connections;
    private final CopyPlan plan;
    private final Map<String, CoordinatorAddress> readers;

    Comparing(MoveServices services, MoveConnections connections, CopyPlan plan) {
        this.services = services;
        this.connections = connections;
        this.plan = plan;
        this.readers = connections.source().makeReaders(plan.guarded().readers(), 1);
    }

    /** One sentence for each of these tables that differs. */
    List<String> differences(ServerConnection source, ServerConnection target, Collection<String> tables)
            throws InterruptedException {
        try {
            return new RowComparison(source, target, plan.schema(), plan.wholeColumns(), readers)
                    .differences(tables, services.limits().comparison() == Comparison.CHECKSUMS);
        } catch (SignInRefusedException refused) {
            throw MoveFailedException.signIn(connections, plan.schema(), refused);
        } catch (StatementRefusedException refused) {
            throw CopyInvalidException.unlessLasting(refused, plan.schema());
        }
    }

    /**
     * Takes what was found.
     *
     * @throws CopyInvalidException if that is anything
     */
    void require(List<String> noDifferences) {
        if (!noDifferences.isEmpty()) {
            throw new CopyInvalidException(
                    "the copy of schema %s is not equal to it".formatted(plan.schema()),
                    String.join("; ", noDifferences) + ".");
        }
    }

    /** Ends it on the source, where nothing is left then. */
    @Override
    public void close() {
        if (!readers.isEmpty()) {
            connections.source().dropLogins();
        }
    }
}
