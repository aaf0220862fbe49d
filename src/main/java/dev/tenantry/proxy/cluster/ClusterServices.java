package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.commit.GlobalTransactionIds;
import java.util.concurrent.Executor;

/**
 * What sessions share for statements on several nodes.
 *
 * @param feed the catalog
 * @param worker runs each task on a virtual thread of its own
 * @param ids names transactions
 * @param observer told at each step of a commit
 * @param lost gets the transactions that can't be ended
 */
public record ClusterServices(
        CatalogFeed feed,
        Executor worker,
        GlobalTransactionIds ids,
        DistributedEnd.Observer observer,
        LostCommitDesk lost) {

    /** The id of a new transaction that this node decides by the commit of that transaction of its own. */
    String nextGid(int deciderNodeId, long deciderTransaction) {
        return ids.next(feed.current().clusterId(), deciderNodeId, deciderTransaction);
    }
}
