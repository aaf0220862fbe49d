package dev.tenantry.control.node.copy;

/**
 * What a move's things are called on its nodes. All follows from the number of the move, so that they can be removed
 * by whoever knows that number.
 *
 * @param clusterId of the cluster; servers may have databases of several
 * @param moveId number of the move
 */
public record MoveNames(String clusterId, long moveId) {

    /** Publication and slot on the source, subscription on the target: one name for all. */
    public String replication() {
        return "tenantry_" + clusterId + "_move_" + moveId;
    }

    /** What the sessions are called, on both sides, that copy rows. */
    public String copies() {
        return replication() + "_rows";
    }

    /** What the roles begin with that rows are read and written as; see {@link OwnerLogins}. */
    public String logins() {
        return replication() + "_owner_";
    }

    /** One of them. */
    String login(int number) {
        return logins() + number;
    }

    /** The old copy on the source after the switch. */
    public String oldSchema() {
        return "tenantry_old_" + moveId;
    }

    /** A copy on the coordinator that has to go, for the moment in which it does. */
    public String undoneSchema() {
        return "tenantry_undone_" + moveId;
    }
}
