package dev.tenantry.control.node.copy;

import dev.tenantry.store.ServerConnection;
import dev.tenantry.store.StatementRefusedException;
import java.time.Duration;
import java.util.Optional;

/**
 * A place in what a target follows where it stops for a moment: before a {@linkplain Source#commitWithMark mark} that a
 * transaction of ours on the target has written already, so that the server's worker has to wait for the end of that
 * transaction. What is committed there then is what was on the source when it wrote the mark, while writers on the
 * source go on.
 */
public final class HeldMark implements AutoCloseable {

    /** A process that hangs must not keep replication waiting until the server gives it up. */
    private static final Duration IDLE_MAX = Duration.ofSeconds(10);

    private final ServerConnection target;
    private boolean held;

    private HeldMark(ServerConnection target) {
        this.target = target;
    }

    /**
     * Has the target stop there.
     *
     * @param target is in a transaction until this is closed
     * @param mark that nobody has written yet
     * @param unused for how long it is not asked after
     * @return empty if somebody else, who has taken the move for his own, has written it meanwhile
     */
    public static Optional<HeldMark> hold(ServerConnection target, MoveNames names, long mark, Duration unused) {
        HeldMark held = new HeldMark(target);
        target.query("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '"
                + IDLE_MAX.plus(unused).toMillis() + "ms'");
        held.held = true;
        boolean written = false;
        try {
            target.query("INSERT INTO tenantry.move_mark (moveid, mark) VALUES ($1, $2)", names.moveId(), mark);
            written = true;
        } catch (StatementRefusedException refused) {
            if (refused.sqlState().equals(SqlStates.UNIQUE_VIOLATION)) {
                return Optional.empty();
            }
            throw refused;
        } finally {
            if (!written) {
                held.close();
            }
        }
        return Optional.of(held);
    }

    /** Whether the target has come to the mark and waits. */
    public boolean isReached() {
        return target.query("SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
                                + " AND transactionid = pg_current_xact_id()::xid")
                        .size()
                > 0;
    }

    /** Lets the target go on. */
    @Override
    public void close() {
        if (held) {
            held = false;
            target.query("ROLLBACK");
        }
    }
}
