package dev.tenantry.blueprint;

import java.util.List;
import java.util.stream.Collectors;

/** A schema has objects that can't be created elsewhere, or is tied to others that stay; nothing was changed. */
public final class UnknownObjectsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final transient List<UnknownObject> objects;

    /** With at least one object. */
    public UnknownObjectsException(String schema, List<UnknownObject> objects) {
        super("schema " + schema + " cannot be moved because of "
                + objects.stream().map(UnknownObject::toString).collect(Collectors.joining(", ")));
        this.objects = List.copyOf(objects);
    }

    /** All of them, ordered by name. */
    public List<UnknownObject> objects() {
        return objects;
    }
}
