package dev.tenantry.control.move;

import dev.tenantry.control.node.copy.Source;
import java.time.Duration;

/** Keeps everybody from writing to the source's tables for a cut-over, whether or not they know of the pause. */
interface Fence {

    /** The connection whose transaction locks the tables, and is the one that hides the old copy. */
    Source locker();

    /** Locks the tables; false if that takes too long. */
    boolean close(Duration max) throws InterruptedException;

    /** With the tables locked: the target's rows become those of the source; false if that takes too long. */
    boolean level(Duration max) throws InterruptedException;

    /** An attempt has failed after {@link #close}. */
    void open();

    /** An attempt has failed, and clients go on. */
    void resume();
}
