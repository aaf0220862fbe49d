package dev.tenantry.proxy.backend;

import dev.tenantry.proxy.net.FrameHandler;

/** Who a backend's replies go to; called on the backend's event loop. */
public interface BackendListener {

    /** What decides about each message of this backend; asked once, when the backend is handed over. */
    FrameHandler frames(BackendConnection backend);

    /** Everything that could be read now has been dealt with. */
    void readComplete(BackendConnection backend);

    /** The backend takes more bytes again, or stopped to. */
    void writabilityChanged(BackendConnection backend);

    /** The connection has ended; nothing more comes from it. */
    void closed(BackendConnection backend);
}
