package dev.tenantry.proxy.backend;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The prepared statements that a server process has, as sessions know them, by name; the unnamed one has the empty
 * name.
 *
 * <p>Of a Parse it is noted with what settings and when it was sent, so that a session that gets the connection and
 * means the same by the name, with the same result, need not send it again. It may use what was parsed after its own
 * statement was, elsewhere: then the server refuses nothing that a server of its own would not refuse. And nothing may
 * have been undone on the connection since, because a statement may know of what the transaction did that it was parsed
 * in. Not thread-safe; lives on the event loop.
 */
public final class NamedStatements {
    private final Map<String, Named> byName = new HashMap<>();
    private int undone;

    private static final class Named {
        private Object statement;
        private @Nullable Object parsed;
        private @Nullable Object settings;
        private long sentNanos;
        private int undone;

        Named(Object statement) {
            this.statement = statement;
        }
    }

    /** What has the name, or null. */
    public @Nullable Object get(String name) {
        Named named = byName.get(name);
        return named == null ? null : named.statement;
    }

    /** How many there are that have a name. */
    public int size() {
        return byName.size() - (byName.containsKey("") ? 1 : 0);
    }

    /** The name means this from now on; returns what it meant before. */
    public @Nullable Object put(String name, Object statement) {
        Named before = byName.put(name, new Named(statement));
        return before == null ? null : before.statement;
    }

    /** The same, unless the name means something. */
    public void putIfAbsent(String name, Object statement) {
        byName.putIfAbsent(name, new Named(statement));
    }

    /**
     * A Parse message for what has the name is sent now.
     *
     * @param settings those that it is parsed with, which are told apart by {@code equals}
     */
    public void parsed(String name, Object settings) {
        Named named = byName.get(name);
        if (named != null) {
            named.parsed = named.statement;
            named.settings = settings;
            named.sentNanos = System.nanoTime();
            named.undone = undone;
        }
    }

    /**
     * Whether what has the name was parsed with these settings, and nothing was undone since: for this statement, or by
     * a message sent at that {@link System#nanoTime()} or later.
     */
    public boolean isParsed(String name, Object settings, Object statement, long sinceNanos) {
        Named named = byName.get(name);
        return named != null
                && settings.equals(named.settings)
                && (named.parsed == statement || named.sentNanos - sinceNanos >= 0)
                && named.undone == undone;
    }

    /** Another session means the same by the name: it was parsed as it was. */
    public void adopt(String name, Object statement) {
        Named named = byName.get(name);
        if (named != null) {
            named.statement = statement;
        }
    }

    /** The name means nothing any more; returns what it meant. */
    public @Nullable Object remove(String name) {
        Named removed = byName.remove(name);
        return removed == null ? null : removed.statement;
    }

    /** The name means nothing any more if it meant this; whether it did. */
    public boolean remove(String name, Object statement) {
        return get(name) == statement && byName.remove(name) != null;
    }

    /** No name means anything. */
    public void clear() {
        byName.clear();
    }

    /** A transaction, or a part of one, was undone; or may have been. */
    public void undone() {
        undone++;
    }
}
