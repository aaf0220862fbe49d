package dev.tenantry.check;

import java.io.IOException;

/** What goes on in the cluster beside the clients. Not thread-safe. */
interface Disturbance {

    /** Waits for a while, and does something once. */
    void once() throws IOException, InterruptedException;
}
