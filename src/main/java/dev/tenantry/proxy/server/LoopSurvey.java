package dev.tenantry.proxy.server;

import dev.tenantry.activity.SessionActivity;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Goes over the connections of one event loop, on that loop, some at a time, so that the loop's other work goes on in
 * between. What was found may be read by any thread when it is done.
 */
final class LoopSurvey {
    private static final int AT_A_TIME = 250;
    private static final long PAUSE_MILLIS = 1;

    private final EventLoop loop;
    private final List<ClientConnection> connections;
    private final Moment now;
    private final CompletableFuture<LoopSurvey> done = new CompletableFuture<>();
    private final List<SessionActivity> sessions = new ArrayList<>();
    private int next;

    /** Begins. */
    LoopSurvey(EventLoop loop, List<ClientConnection> connections, Moment now) {
        this.loop = loop;
        this.connections = connections;
        this.now = now;
    }

    /** Begins; completes on the loop, or exceptionally when the loop has ended. */
    CompletableFuture<LoopSurvey> done() {
        try {
            loop.execute(this::goOn);
        } catch (RejectedExecutionException ended) {
            done.completeExceptionally(ended);
        }
        return done;
    }

    private void goOn() {
        try {
            int end = Math.min(connections.size(), next + AT_A_TIME);
            for (; next < end; next++) {
                look(connections.get(next));
            }
            if (next < connections.size()) {
                loop.schedule(this::goOn, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
            } else {
                done.complete(this);
            }
        } catch (RuntimeException failed) {
            done.completeExceptionally(failed);
        }
    }

    private void look(ClientConnection connection) {
        ClientSession session = connection.session();
        if (session != null) {
            sessions.add(session.portrait().session(connection.identity(), now));
        }
    }

    List<SessionActivity> sessions() {
        return sessions;
    }
}
