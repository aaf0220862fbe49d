package dev.tenantry.commit;

import java.util.concurrent.atomic.AtomicLong;

/** Names the transactions of one proxy; no name is given twice. Safe from any thread. */
public final class GlobalTransactionIds {
    private final String proxyId;
    private final AtomicLong sequence = new AtomicLong();

    /**
     * Names for a proxy.
     *
     * @param proxyId unique among all proxies that ever were, letters and digits
     */
    public GlobalTransactionIds(String proxyId) {
        this.proxyId = proxyId;
    }

    /** The next name: {@code tenantry_<cluster>_<proxy>_<sequence>_<decider's node id>}. */
    public String next(String clusterId, int deciderNodeId) {
        return new GlobalTransactionId(clusterId, proxyId, sequence.incrementAndGet(), deciderNodeId).toString();
    }
}
