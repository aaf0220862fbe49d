package dev.tenantry.proxy.server;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.net.FrameCutter;
import dev.tenantry.proxy.query.StringRun;
import dev.tenantry.proxy.session.Conversation;
import dev.tenantry.proxy.session.SessionBackends;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SessionSettings.State;
import dev.tenantry.proxy.session.SettingValues;
import dev.tenantry.wire.FrontendType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a session has under way, and what it could do without therefore. Lives on the client's event loop. */
final class Occupancy implements SessionBackends.Owner {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final StringRun strings;
    private final Cancellation cancellation;
    private final AnswerTimer timer;
    private final FrameCutter client;
    private @Nullable BackendConnection pathReporter;
    private int heardVersion;
    private int modeVersion = -1;
    private boolean keepsConnections;

    Occupancy(
            Conversation session,
            Dispatcher dispatcher,
            StringRun strings,
            Cancellation cancellation,
            AnswerTimer timer,
            FrameCutter client) {
        this.session = session;
        this.dispatcher = dispatcher;
        this.strings = strings;
        this.cancellation = cancellation;
        this.timer = timer;
        this.client = client;
    }

    /** Whether the session is between two transactions, so that nobody loses anything when it ends. */
    boolean isAtRest() {
        return !session.transaction().isOpen() && isSilent();
    }

    /** Whether everything that the client has said is answered, so that it is the client's turn. */
    boolean isSilent() {
        return session.ledger().isEmpty()
                && !session.backends().isUnsynced()
                && !dispatcher.isBusy()
                && !strings.isActive();
    }

    /** Whether the client's next message has to wait for what was sent for it, or against it, before. */
    boolean holdsBack(byte type) {
        if (type == FrontendType.TERMINATE) {
            return false;
        }
        if (session.ledger().isBeginOwed() && !session.backends().isUnsynced()) {
            dispatcher.flushBatch();
            return true; // it comes behind what keeps one message from running outside the block
        }
        return cancellation.isUnderWay() && session.ledger().isEmpty(); // a late cancel must not hit it
    }

    /** Whether a message that was told to wait can be looked at again. */
    boolean isFreeToGoOn() {
        return session.ledger().isCopyIn()
                || !dispatcher.isBusy()
                        && (!cancellation.isUnderWay() || !session.ledger().isEmpty())
                        && (session.ledger().isEmpty() || !session.ledger().hasEffectsPending());
    }

    /** Whether the client waits for nothing that a node or the session does, though a transaction may be open. */
    boolean isAnswered() {
        BackendConnection active = session.backends().active();
        return session.ledger().isEmpty() && !dispatcher.isOccupied() && (active == null || !active.isInsideBody());
    }

    /** Whether the session is ending a transaction that may have used several nodes. */
    boolean isEndingTransaction() {
        return dispatcher.isOccupied() && dispatcher.isEnding();
    }

    /** The active backend reports a setting, which may not be what the session believes. */
    void observed(BackendConnection backend, String name) {
        if (name.equals("search_path")) {
            pathReporter = backend;
        }
    }

    /** The active backend has reported all that it reports, which counts where it tells more than what was set. */
    void heardAll(BackendConnection backend) {
        SessionSettings settings = session.settings();
        State before = settings.current();
        observePath(backend);
        if (settings.version() != heardVersion) {
            settings.observedDateStyle(backend.parameters().get("DateStyle"));
            believes(backend, before);
            heardVersion = settings.version();
        }
    }

    /** A message of the session's own is answered; it may have ended a batch of the client's, which then lasts. */
    void hasEnded(BackendConnection backend, byte status, boolean failed) {
        State before = session.settings().current();
        observePath(backend);
        believes(backend, before);
        if (status == BackendConnection.IDLE
                && !failed
                && !session.transaction().isOpen()) {
            backend.label(session.settings().session());
        }
    }

    /** Only with ReadyForQuery is it certain in which encoding a path was reported. */
    private void observePath(BackendConnection backend) {
        BackendConnection reporter = pathReporter;
        pathReporter = null;
        String path = reporter == backend ? backend.parameters().get("search_path") : null;
        if (path != null) {
            session.settings().observedSearchPath(path);
        }
    }

    private void believes(BackendConnection backend, State before) {
        State now = session.settings().current();
        if (now != before && session.transaction().isEnlisted(backend)) {
            backend.openLabel(now);
        }
    }

    @Override
    public boolean holdsInTransaction() {
        return !session.transaction().participants().isEmpty();
    }

    @Override
    public long sinceNanos() {
        return timer.sinceNanos();
    }

    @Override
    public boolean keepsConnections() {
        int version = session.settings().version();
        if (version != modeVersion) { // asked of every session that rests, for each hand-over
            keepsConnections = SettingValues.keepsConnections(session.settings().effective(SettingValues.POOL_MODE));
            modeVersion = version;
        }
        return keepsConnections;
    }

    @Override
    public boolean usesCustomSettings() {
        return session.settings().hasUsedCustom();
    }

    @Override
    public boolean isLabel(@Nullable Object label) {
        return session.settings().isLabel(label);
    }

    @Override
    public String schema() {
        List<String> path = session.settings().searchPath();
        return path.isEmpty() ? "" : path.getFirst();
    }

    /**
     * Whether nothing is under way on a backend, though something may be on another one; as far as
     * {@link SessionBackends} does not know itself.
     */
    @Override
    public boolean canDoWithout(BackendConnection backend) {
        return !(session.transaction().isOpen() && session.transaction().isEnlisted(backend))
                && (backend != session.backends().active() || isHeardOut())
                && !isAboutToUse()
                && !dispatcher.isOccupied()
                && !strings.isActive()
                && !cancellation.isUnderWay();
    }

    /** The rest of a COPY that has failed already may be on its way to the node in the middle of a message. */
    private boolean isHeardOut() {
        return session.ledger().isEmpty() && !client.isInsideBody();
    }

    /** Whether nothing of the session is still on its way to a node, so that others may have its connections. */
    boolean leavesNothingHalf() {
        return !cancellation.isUnderWay() && !client.isInsideBody();
    }

    /** Whether a message is about to be looked at again, for which a connection has just been got ready. */
    private boolean isAboutToUse() {
        return dispatcher.isBusy() && !session.backends().isOpening() && !dispatcher.isWaitingForPause();
    }

    /** What the session does, in the words of {@code pg_stat_activity} and one of our own. */
    String state() {
        if (session.backends().isOpening()) {
            return "waiting for a connection";
        }
        if (dispatcher.isWaitingForPause()) {
            return "waiting for the end of a pause";
        }
        if (!session.ledger().isEmpty()
                || dispatcher.isBusy()
                || strings.isActive()
                || session.backends().isUnsynced()) {
            return "active";
        }
        return switch (session.transaction().status()) {
            case 'T' -> "idle in transaction";
            case 'E' -> "idle in transaction (aborted)";
            default -> "idle";
        };
    }
}
