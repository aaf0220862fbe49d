package dev.tenantry.proxy.server;

import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsException;
import java.time.Duration;

/**
 * Looks from time to time whether certificates and keys have changed, so that one that is renewed is used by the next
 * connection without a restart. A virtual thread of its own, as files are read.
 */
final class TlsReload implements AutoCloseable {
    /** Three files' dates are read, which costs microseconds. */
    static final Duration INTERVAL = Duration.ofSeconds(2);

    private static final System.Logger LOG = System.getLogger(TlsReload.class.getName());

    private final TlsContexts tls;
    private final Thread thread;
    private String lastProblem = "";

    private TlsReload(TlsContexts tls) {
        this.tls = tls;
        this.thread = Thread.ofVirtual().name("tls-reload").unstarted(this::run);
    }

    /** Begins to look; the contexts were made a moment ago. */
    static TlsReload start(TlsContexts tls) {
        TlsReload reload = new TlsReload(tls);
        reload.thread.start();
        return reload;
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(INTERVAL);
                look();
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        try {
            if (tls.reloadIfChanged()) {
                LOG.log(System.Logger.Level.INFO, "certificates reloaded");
            }
            lastProblem = "";
        } catch (TlsException unusable) {
            // Said once; also between the writing of a certificate and of its key.
            String problem = String.valueOf(unusable.getMessage());
            if (!problem.equals(lastProblem)) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "changed certificates can''t be used, going on with the old ones reason={0}",
                        problem);
            }
            lastProblem = problem;
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
