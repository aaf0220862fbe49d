package dev.tenantry.catalog;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The nodes on which nothing but a statement's own text can leave something in a server process: no routine, view,
 * default or policy there sets a setting beyond its transaction, takes a session's advisory lock or makes something
 * temporary. Times are of {@link System#nanoTime()}. Safe from any thread.
 */
public final class TracelessNodes {
    private final Map<Integer, Long> since = new ConcurrentHashMap<>();
    private final Map<Integer, Set<String>> settings = new ConcurrentHashMap<>();

    /** Whether that was so from a moment on, without a break, as far as is known. */
    public boolean isTracelessSince(int nodeId, long nanos) {
        Long known = since.get(nodeId);
        return known != null && known - nanos <= 0;
    }

    /** Whether the node is one of them now. */
    public boolean isKnown(int nodeId) {
        return since.containsKey(nodeId);
    }

    /** A look at the node has found nothing, and began at this moment; one before it may have said so already. */
    public void traceless(int nodeId, long nanos) {
        since.putIfAbsent(nodeId, nanos);
    }

    /** The settings with a prefix that routines there name, as of the last look; no server lists them. */
    public Set<String> settings(int nodeId) {
        return settings.getOrDefault(nodeId, Set.of());
    }

    /** A look has found routines that name these. */
    public void settings(int nodeId, Set<String> names) {
        settings.put(nodeId, Set.copyOf(names));
    }

    /** Something was found, or is about to change, or the node can't be looked at. */
    public void unknown(int nodeId) {
        since.remove(nodeId);
    }
}
