package dev.tenantry.catalog;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A session's view of the catalog: the newest snapshot with the changes of the session's own open transaction over it,
 * undone with its savepoints. Not thread-safe.
 */
public final class CatalogOverlay implements CatalogView {
    private final CatalogFeed feed;
    private final List<Savepoint> savepoints = new ArrayList<>();
    private Map<String, Optional<DistributedSchema>> changes = Map.of();
    private boolean changed;

    private record Savepoint(String name, Map<String, Optional<DistributedSchema>> changes) {}

    /** A view without changes of its own. */
    public CatalogOverlay(CatalogFeed feed) {
        this.feed = feed;
    }

    /** What a route may be kept for: the same object as long as the answers are the same. */
    public Object version() {
        return changes.isEmpty() ? feed.current() : changes;
    }

    /** What others see. */
    public CatalogSnapshot committed() {
        return feed.current();
    }

    /** The number of the version that others see. */
    public long number() {
        return feed.current().version();
    }

    /** The transaction has created or renamed to this schema. */
    public void put(DistributedSchema schema) {
        change(schema.name(), Optional.of(schema));
    }

    /** The transaction has dropped this schema or renamed it away. */
    public void remove(String name) {
        change(name, Optional.empty());
    }

    /** The transaction has changed something of the catalog that a session's view has no part for. */
    public void touch() {
        changed = true;
    }

    /** Whether the open transaction has changed the catalog, perhaps undone with a savepoint. */
    public boolean isChanged() {
        return changed;
    }

    /** SAVEPOINT. */
    public void savepoint(String name) {
        savepoints.add(new Savepoint(name, changes));
    }

    /** RELEASE SAVEPOINT. */
    public void release(String name) {
        int index = last(name);
        if (index >= 0) {
            savepoints.subList(index, savepoints.size()).clear();
        }
    }

    /** ROLLBACK TO SAVEPOINT. */
    public void rollbackTo(String name) {
        int index = last(name);
        if (index >= 0) {
            changes = savepoints.get(index).changes();
            savepoints.subList(index + 1, savepoints.size()).clear();
        }
    }

    /** The transaction has ended; what it changed is in the snapshot, or never happened. */
    public void clear() {
        changes = Map.of();
        changed = false;
        savepoints.clear();
    }

    @Override
    public @Nullable DistributedSchema schema(String name) {
        if (!changes.isEmpty()) {
            Optional<DistributedSchema> changed = changes.get(name);
            if (changed != null) {
                return changed.orElse(null);
            }
        }
        return feed.current().schema(name);
    }

    @Override
    public List<Node> nodes() {
        return feed.current().nodes();
    }

    @Override
    public Node coordinator() {
        return feed.current().coordinator();
    }

    @Override
    public Pauses pauses() {
        return feed.current().pauses();
    }

    @Override
    public long bytes(Node node) {
        return feed.current().bytes(node);
    }

    @Override
    public int schemaCount(Node node) {
        int own = 0;
        for (Optional<DistributedSchema> change : changes.values()) {
            if (change.isPresent() && change.get().node().nodeId() == node.nodeId()) {
                own++;
            }
        }
        return feed.current().schemaCount(node) + own;
    }

    private int last(String name) {
        for (int i = savepoints.size() - 1; i >= 0; i--) {
            if (savepoints.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private void change(String name, Optional<DistributedSchema> schema) {
        Map<String, Optional<DistributedSchema>> copy = new HashMap<>(changes);
        copy.put(name, schema);
        changes = Map.copyOf(copy);
        changed = true;
    }
}
