package dev.tenantry.catalog;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is paused in a cluster. Immutable; usually {@link #NONE}, which is compared by identity. */
public final class Pauses {

    /** Nothing is paused; no other instance says so. */
    public static final Pauses NONE = new Pauses(List.of());

    private final List<Pause> all;
    private final Map<String, Pause> schemas = new HashMap<>();
    private final Map<Integer, Pause> nodes = new HashMap<>();

    private Pauses(Collection<Pause> pauses) {
        this.all = List.copyOf(pauses);
        for (Pause pause : all) {
            switch (pause) {
                case Pause.OfSchema(long _, String name, Pause.Held _) -> schemas.put(name, pause);
                case Pause.OfNode(long _, int nodeId) -> nodes.put(nodeId, pause);
            }
        }
    }

    /** These. */
    public static Pauses of(Collection<Pause> pauses) {
        return pauses.isEmpty() ? NONE : new Pauses(pauses);
    }

    /** All of them, in the order of their numbers. */
    public List<Pause> all() {
        return all;
    }

    /** The pause of that schema, or null. */
    @Nullable
    public Pause ofSchema(String name) {
        return schemas.get(name);
    }

    /** The pause of that node, or null. */
    @Nullable
    public Pause ofNode(int nodeId) {
        return nodes.get(nodeId);
    }

    /** Whether a pause of that number is among them. */
    public boolean contains(Pause pause) {
        return all.stream().anyMatch(known -> known.id() == pause.id());
    }
}
