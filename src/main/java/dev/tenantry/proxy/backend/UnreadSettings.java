package dev.tenantry.proxy.backend;

import dev.tenantry.sql.StatementFacts.Traces;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;

/**
 * Settings of a server process that may have a value that nobody has read. What takes one back counts at once, and not
 * any more when the transaction that it was in fails. Used on the connection's event loop.
 */
public final class UnreadSettings {

    private Set<String> names = Set.of();
    private Set<String> takenBack = Set.of();

    UnreadSettings() {}

    /** Which they are, since {@link #clear}; {@link Traces#ANY_SETTING} if they could be any. */
    public Set<String> names() {
        return names;
    }

    void add(Collection<String> more) {
        if (!names.containsAll(more)) {
            Set<String> all = new TreeSet<>(names);
            all.addAll(more);
            names = all;
        }
    }

    /** All have gone back to what they were when the connection was opened, but for these. */
    public void reset(Set<String> untouched) {
        Set<String> rest = new TreeSet<>(untouched);
        if (!names.contains(Traces.ANY_SETTING)) {
            rest.retainAll(names);
        }
        leave(rest);
    }

    /** This one has a value that is known. */
    public void read(String name) {
        Set<String> rest = new TreeSet<>(names);
        rest.remove(name);
        leave(rest);
    }

    private void leave(Set<String> rest) {
        if (!names.isEmpty()) {
            takenBack = takenBack.isEmpty() ? names : takenBack;
            names = rest;
        }
    }

    /** A statement has failed, and with it those sent with it. */
    public void undo() {
        add(takenBack);
        takenBack = Set.of();
    }

    /** No transaction is open there. */
    void settle() {
        takenBack = Set.of();
    }

    void clear() {
        names = Set.of();
        takenBack = Set.of();
    }
}
