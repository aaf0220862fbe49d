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

    /** Whose names these are. */
    public String proxyId() {
        return proxyId;
    }

    /** The next name, for a transaction that this node decides by the commit of that transaction of its own. */
    public String next(String clusterId, int deciderNodeId, long deciderTransaction) {
        return new GlobalTransactionId(
                        clusterId, proxyId, sequence.incrementAndGet(), deciderNodeId, deciderTransaction)
                .toString();
    }
}
