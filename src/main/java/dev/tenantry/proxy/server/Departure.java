package dev.tenantry.proxy.server;

import dev.tenantry.wire.SqlError;
import java.util.function.Consumer;

/**
 * The end of one session because the proxy stops, in the steps of {@link Drain}. Whatever the step, the client is told
 * between two messages, and no commit over several nodes is left in its middle. Lives on the client's event loop.
 *
 * <pre>
 * STAYING --leave--> LEAVING (ends at rest) --cut--> CUTTING (ends when what runs has been cancelled)
 * </pre>
 */
final class Departure {
    private static final SqlError SHUTDOWN =
            SqlError.fatal("57P01", "terminating connection due to administrator command");
    private static final String QUERY_CANCELED = "57014";

    private final Occupancy occupancy;
    private final Cancellation cancellation;
    private final Consumer<SqlError> end;
    private boolean leaving;
    private boolean cutting;

    Departure(Occupancy occupancy, Cancellation cancellation, Consumer<SqlError> end) {
        this.occupancy = occupancy;
        this.cancellation = cancellation;
        this.end = end;
    }

    /** The session ends between two transactions, perhaps now. */
    void leave() {
        leaving = true;
        proceed();
    }

    /** The session ends in the middle of its transaction; what runs is cancelled first. */
    void cut() {
        leaving = true;
        cutting = true;
        proceed();
        if (!occupancy.isEndingTransaction()) {
            cancellation.request();
        }
    }

    /** The session ends now, unless it is ending a transaction of several nodes. */
    void cutHard() {
        if (!occupancy.isEndingTransaction()) {
            end.accept(SHUTDOWN);
        }
    }

    /** The session ends now. */
    void end() {
        end.accept(SHUTDOWN);
    }

    /** Ends the session if it is to end and the time has come; to be called when something has happened. */
    void proceed() {
        if (!leaving) {
            return;
        }
        if (cutting ? occupancy.isAnswered() : occupancy.isAtRest()) {
            end.accept(SHUTDOWN);
        }
    }

    /** Whether an error of a node is told as the end of the session, because our cancel is its cause. */
    boolean tellsInsteadOf(String sqlState) {
        return cutting && sqlState.equals(QUERY_CANCELED);
    }
}
