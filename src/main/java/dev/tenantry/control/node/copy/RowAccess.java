package dev.tenantry.control.node.copy;

import dev.tenantry.store.CoordinatorAddress;
import java.util.Map;
import java.util.Set;

/**
 * How the rows of tables are read and written, so that what they call has the rights of their owners. Immutable.
 *
 * @param whole tables that are read by COPY of all of it: planning any query about them could call what they call, or
 *     their owners may not read them
 * @param readers how to sign in at the source to ask about a table, by table, if not as the control plane
 * @param writers how to sign in at the target to write rows of a table, by table, if not as the control plane
 */
public record RowAccess(
        Set<String> whole, Map<String, CoordinatorAddress> readers, Map<String, CoordinatorAddress> writers) {

    /** With collections of its own. */
    public RowAccess {
        whole = Set.copyOf(whole);
        readers = Map.copyOf(readers);
        writers = Map.copyOf(writers);
    }
}
