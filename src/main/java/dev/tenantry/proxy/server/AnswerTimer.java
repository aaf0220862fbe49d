package dev.tenantry.proxy.server;

import dev.tenantry.proxy.dispatch.ProxyMetrics;

/** Times one batch of a session at a time, from its arrival to its ReadyForQuery. Lives on the client's event loop. */
final class AnswerTimer {
    private final ProxyMetrics metrics;
    private long askedNanos;
    private long sentNanos;
    private long answeredNanos = System.nanoTime();

    AnswerTimer(ProxyMetrics metrics) {
        this.metrics = metrics;
    }

    /** A statement can be sent: its time begins, unless one before it is being timed. */
    void asked(boolean nothingOwed) {
        if (askedNanos == 0 || nothingOwed) {
            askedNanos = System.nanoTime();
            sentNanos = 0;
        }
    }

    /** Bytes go to a node. */
    void sent() {
        if (sentNanos == 0) {
            sentNanos = System.nanoTime();
        }
    }

    /** The client is told that it is the end. */
    void answered() {
        if (askedNanos != 0) {
            answeredNanos = System.nanoTime();
            metrics.answered(askedNanos, sentNanos, answeredNanos);
            askedNanos = 0;
        }
    }

    /** When the batch that is being timed arrived; when there is none, since when. */
    long sinceNanos() {
        return askedNanos != 0 ? askedNanos : answeredNanos;
    }
}
