package dev.tenantry.proxy.server;

import dev.tenantry.proxy.dispatch.Dispatcher;
import dev.tenantry.proxy.query.StringRun;
import dev.tenantry.proxy.session.Conversation;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Cancels what a session runs, wherever it is with it: at a node, between two statements of a string, or still on the
 * way to a node. Lives on the client's event loop.
 */
final class Cancellation {
    private final Conversation session;
    private final Dispatcher dispatcher;
    private final StringRun strings;
    private final Runnable told;
    private @Nullable CompletableFuture<Void> underWay;

    /** {@code told} is run when the nodes have taken notice. */
    Cancellation(Conversation session, Dispatcher dispatcher, StringRun strings, Runnable told) {
        this.session = session;
        this.dispatcher = dispatcher;
        this.strings = strings;
        this.told = told;
    }

    /** Whether a node may still take notice, so that nothing new must be sent while nothing is owed. */
    boolean isUnderWay() {
        return underWay != null;
    }

    /** Cancels what runs, if something does; completes when the nodes have taken notice. */
    CompletableFuture<Void> request() {
        CompletableFuture<Void> running = underWay;
        if (running != null) {
            return running;
        }
        boolean owed = !session.ledger().isEmpty();
        if (!owed && !dispatcher.isBusy() && !strings.isActive()) {
            return CompletableFuture.completedFuture(null);
        }
        strings.cancel();
        dispatcher.cancel();
        CompletableFuture<Void> all = session.backends().cancelRunning(owed);
        if (!all.isDone()) {
            underWay = all;
            all.whenComplete((done, problem) -> {
                underWay = null;
                told.run();
            });
        }
        return all;
    }
}
