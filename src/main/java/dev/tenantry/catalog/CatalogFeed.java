package dev.tenantry.catalog;

/**
 * Gives the newest snapshot of the catalog. An interface because its user, the proxy, may not see its maker, the store.
 */
public interface CatalogFeed {

    /** The newest snapshot; a volatile read, from any thread. */
    CatalogSnapshot current();

    /**
     * Asks for a snapshot that shows everything committed before this call, and returns when it is there; blocks, so
     * only from a virtual thread. Returns the newest one it has when the coordinator can't be reached.
     */
    CatalogSnapshot refresh();

    /** What is known of statements that leave something in a server process without telling. */
    TracelessNodes traceless();

    /** Runs an action, which must not block, after each change of the snapshot, until it is forgotten. */
    void onChange(Runnable action);

    /** Runs that action no more. */
    void forget(Runnable action);
}
