package dev.tenantry.proxy.server;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.pool.PoolKey;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.wire.SqlError;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Ends a session whose client says nothing for too long, as a server does ("Client Connection Defaults"), whether it
 * has a connection to a node or not; what its own nodes end for that reason ends the session too. While none of the
 * three settings is set there is no timer. Lives on the client's event loop.
 */
final class SessionTimeouts {
    private static final String IN_TRANSACTION = "idle_in_transaction_session_timeout";
    private static final String TRANSACTION = "transaction_timeout";
    private static final SqlError IDLE_SESSION =
            SqlError.fatal("57P05", "terminating connection due to idle-session timeout");
    private static final SqlError IDLE_IN_TRANSACTION =
            SqlError.fatal("25P03", "terminating connection due to idle-in-transaction timeout");
    private static final SqlError TRANSACTION_TOO_LONG =
            SqlError.fatal("25P04", "terminating connection due to transaction timeout");

    /** How often a session that is at work is looked at, at most. */
    private static final long LOOK_MILLIS_MIN = 10;

    private final Conversation session;
    private final Occupancy occupancy;
    private final AnswerTimer timer;
    private final Consumer<SqlError> end;
    private int version = -1;
    private boolean over;
    private @Nullable ScheduledFuture<?> next;

    SessionTimeouts(Conversation session, Occupancy occupancy, AnswerTimer timer, Consumer<SqlError> end) {
        this.session = session;
        this.occupancy = occupancy;
        this.timer = timer;
        this.end = end;
    }

    /** The client has been answered: the settings may be others. Costs a comparison when they are not. */
    void answered() {
        timer.answered();
        if (version != session.settings().version()) {
            version = session.settings().version();
            look();
        }
    }

    /** The client is gone. */
    void stop() {
        over = true;
        disarm();
    }

    private void disarm() {
        ScheduledFuture<?> armed = next;
        if (armed != null) {
            armed.cancel(false);
            next = null;
        }
    }

    /** Ends the session if it is time; else looks again when it may be. */
    private void look() {
        disarm();
        SessionSettings settings = session.settings();
        long idle = TimeSetting.millis(settings.effective(PoolKey.IDLE_SESSION_TIMEOUT));
        long inTransaction = TimeSetting.millis(settings.effective(IN_TRANSACTION));
        long transaction = TimeSetting.millis(settings.effective(TRANSACTION));
        if (over || idle + inTransaction + transaction == 0) {
            return;
        }
        long now = System.nanoTime();
        boolean open = session.transaction().isOpen();
        boolean silent = occupancy.isSilent();
        long rest = Long.MAX_VALUE;
        SqlError error = IDLE_SESSION;
        if (idle > 0 && !open) {
            rest = rest(idle, silent ? timer.sinceNanos() : now, now);
        }
        if (inTransaction > 0 && open) {
            rest = rest(inTransaction, silent ? timer.sinceNanos() : now, now);
            error = IDLE_IN_TRANSACTION;
        }
        if (transaction > 0 && open) {
            long its = rest(transaction, session.transaction().begunNanos(), now);
            if (its < rest) {
                rest = its;
                error = TRANSACTION_TOO_LONG;
            }
        }
        if (rest == Long.MAX_VALUE) { // the other state has a limit
            rest = Math.min(idle == 0 ? rest : idle, Math.min(orNone(inTransaction), orNone(transaction)));
        }
        if (rest > 0 || !silent) { // a node ends what it is at work on
            EventLoop loop = session.backends().loop();
            next = loop.schedule(this::look, silent ? rest : Math.max(rest, LOOK_MILLIS_MIN), TimeUnit.MILLISECONDS);
            return;
        }
        over = true;
        end.accept(error);
    }

    private static long orNone(long millis) {
        return millis == 0 ? Long.MAX_VALUE : millis;
    }

    private static long rest(long millis, long sinceNanos, long now) {
        return millis - (now - sinceNanos) / 1_000_000;
    }

    /**
     * A node ends a connection of the session. Where it does so for what the client has not done, that is the end of
     * the session; but a connection that was not used while another one was does not count.
     */
    void dying(BackendConnection backend, SqlError error) {
        boolean ends = switch (error.sqlState()) {
            case "57P05" -> backend == session.backends().active() && occupancy.isAtRest();
            case "25P03" -> session.transaction().isEnlisted(backend) && occupancy.isSilent();
            case "25P04" ->
                backend == session.backends().active() || session.transaction().isEnlisted(backend);
            default -> false;
        };
        if (ends) {
            backend.flushRun();
            end.accept(error.asFatal());
        }
    }
}
