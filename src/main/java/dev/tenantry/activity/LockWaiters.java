package dev.tenantry.activity;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The sessions of one proxy that may wait for locks on several nodes. Safe from any thread; never blocks. */
public interface LockWaiters {

    /** Those whose statement has run for at least that long. */
    CompletableFuture<List<LockWaiter>> waiting(Duration atLeast);

    /** Fails the statement with 40P01, unless it has ended meanwhile. */
    void fail(LockWaiter victim);
}
