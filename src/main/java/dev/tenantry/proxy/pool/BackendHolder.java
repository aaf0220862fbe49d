package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import java.util.Map;
import java.util.Optional;

/** A session, as the pool sees it that may want its connections for others. Called on the connections' event loop. */
public interface BackendHolder {

    /** Whether nothing is under way on a connection that it holds: no transaction, nothing owed, nothing half sent. */
    boolean rests(BackendConnection backend);

    /** Whether it holds connections that others may wait for, because they have a part in its open transaction. */
    boolean holdsInTransaction();

    /** Since when it does nothing, of {@link System#nanoTime()}; only while it rests. */
    long restsSinceNanos();

    /** Whose work it does, for taking turns: its role and the schema it works in. */
    String tenant();

    /** Whether a connection has the very settings that it needs. */
    boolean isLabel(BackendConnection backend);

    /** Whether it has ever set a setting with a prefix, so that it can have connections where that has happened. */
    boolean usesCustomSettings();

    /** What it knows itself that keeps a connection with it, with since when, of {@link System#nanoTime()}. */
    Map<PinReason, Long> pins(BackendConnection backend);

    /**
     * The settings that it knows it has changed on a connection, and would change again on another, by name: each as
     * {@code current_setting} tells it, where that is known.
     */
    Map<String, Optional<String>> knownSettings(BackendConnection backend);

    /** It holds the connection no longer. */
    void taken(BackendConnection backend);

    /**
     * It is offered the connection again, because something is on it that can't be had on another.
     *
     * @return whether it still wants it
     */
    boolean returned(BackendConnection backend);
}
