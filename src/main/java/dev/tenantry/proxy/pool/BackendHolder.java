package dev.tenantry.proxy.pool;

import dev.tenantry.proxy.backend.BackendConnection;
import java.util.Collection;

/** A session, as the pool sees it that may want its connections for others. Called on the connections' event loop. */
public interface BackendHolder {

    /** Whether nothing is under way on a connection that it holds: no transaction, nothing owed, nothing half sent. */
    boolean rests(BackendConnection backend);

    /** The settings that it knows it has changed on a connection, and would change again on another. */
    Collection<String> knownSettings(BackendConnection backend);

    /** It holds the connection no longer. */
    void taken(BackendConnection backend);

    /**
     * It is offered the connection again, because something is on it that can't be had on another.
     *
     * @return whether it still wants it
     */
    boolean returned(BackendConnection backend);
}
