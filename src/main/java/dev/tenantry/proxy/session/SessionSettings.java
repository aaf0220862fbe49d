package dev.tenantry.proxy.session;

import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SearchPath;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The settings that a client has changed, with PostgreSQL's rules for transactions and savepoints ("SET" in "SQL
 * Commands"): SET lasts beyond COMMIT, SET LOCAL does not, ROLLBACK undoes both, ROLLBACK TO goes back to the
 * savepoint.
 *
 * <p>Changes are told when the server has confirmed them. All states are immutable maps, so undoing is a reference,
 * and a backend that has the very map of the session needs no SQL. Not thread-safe; lives on the client's event loop.
 */
public final class SessionSettings {
    private static final String DEFAULT_SEARCH_PATH = "\"$user\", public";

    /**
     * A value.
     *
     * @param text as {@code set_config} takes it, or null when only the statement can express it
     * @param statement the SET statement itself, or null
     */
    public record Value(@Nullable String text, @Nullable String statement) {}

    private record State(Map<String, Value> session, Map<String, Value> local) {}

    private record Savepoint(String name, State state) {}

    private static final State EMPTY = new State(Map.of(), Map.of());

    private final Map<String, String> startup;
    private final List<Savepoint> savepoints = new ArrayList<>();
    private State state = EMPTY;
    private State beforeTransaction = EMPTY;
    private int version;
    private int charsetVersion = -1;
    private Charset charset = StandardCharsets.UTF_8;
    private int rulesVersion = -1;
    private LexicalRules rules = LexicalRules.DEFAULT;
    private int searchPathVersion = -1;
    private List<String> searchPath = List.of();

    /** Settings of a session that has just begun: what it asked for at start-up over what its role has. */
    public SessionSettings(Map<String, String> startup) {
        this.startup = Map.copyOf(startup);
    }

    /** Grows with every change; equal versions mean equal settings. */
    public int version() {
        return version;
    }

    /** What lasts beyond the transaction; the same reference as long as nothing changed. */
    public Map<String, Value> session() {
        return state.session();
    }

    /** What ends with the transaction. */
    public Map<String, Value> local() {
        return state.local();
    }

    /** What lasts whatever becomes of the open transaction. */
    public Map<String, Value> committed() {
        return beforeTransaction.session();
    }

    /** Whether a backend with this label has what {@link #committed()} says. */
    public boolean isLabel(@Nullable Object label) {
        Map<String, Value> committed = beforeTransaction.session();
        return label == committed || (label == null ? committed.isEmpty() : committed.equals(label));
    }

    /** The value that counts now, or null when only the server knows it. */
    @Nullable
    public String effective(String name) {
        Value value = state.local().get(name);
        if (value == null) {
            value = state.session().get(name);
        }
        return value == null ? startup.get(name) : value.text();
    }

    /** The encoding of the client's text; one that we can't read bytes of is refused before it gets here. */
    public Charset charset() {
        if (charsetVersion != version) {
            String encoding = effective("client_encoding");
            charset = encoding == null ? StandardCharsets.UTF_8 : ClientEncoding.charset(encoding);
            charsetVersion = version;
        }
        return charset;
    }

    /** What changes how the client's text is read. */
    public LexicalRules lexicalRules() {
        if (rulesVersion != version) {
            String strings = effective("standard_conforming_strings");
            rules = new LexicalRules(!ClientEncoding.isOff(strings), charset());
            rulesVersion = version;
        }
        return rules;
    }

    /** The effective search_path as a list of exact names. */
    public List<String> searchPath() {
        if (searchPathVersion != version) {
            String text = effective("search_path");
            searchPath =
                    SearchPath.parse(text == null ? DEFAULT_SEARCH_PATH : text).orElse(List.of());
            searchPathVersion = version;
        }
        return searchPath;
    }

    /**
     * The server reports its search_path (since PostgreSQL 18): the check on what we believe. Where it differs, a
     * function has changed it, and the server is right.
     */
    public void observedSearchPath(String value) {
        SearchPath.parse(value)
                .filter(observed -> !observed.equals(searchPath()))
                .ifPresent(observed -> set("search_path", new Value(value, null), false));
    }

    /** SET or SET LOCAL. */
    public void set(String name, Value value, boolean local) {
        if (local) {
            change(state.session(), with(state.local(), name, value));
        } else {
            change(with(state.session(), name, value), without(state.local(), name));
        }
    }

    /** RESET, or SET TO DEFAULT. */
    public void reset(String name) {
        change(without(state.session(), name), without(state.local(), name));
    }

    /** RESET ALL: everything but the identity of the session ("RESET" in "SQL Commands"). */
    public void resetAll() {
        Map<String, Value> kept = new HashMap<>();
        for (String name : List.of("role", "session_authorization")) {
            Value value = state.session().get(name);
            if (value != null) {
                kept.put(name, value);
            }
        }
        change(Map.copyOf(kept), Map.of());
    }

    /** DISCARD ALL: everything. */
    public void discardAll() {
        change(Map.of(), Map.of());
    }

    /** SAVEPOINT. */
    public void savepoint(String name) {
        savepoints.add(new Savepoint(name, state));
    }

    /** RELEASE SAVEPOINT: what came after it stays. */
    public void release(String name) {
        int index = lastSavepoint(name);
        if (index >= 0) {
            savepoints.subList(index, savepoints.size()).clear();
        }
    }

    /** ROLLBACK TO SAVEPOINT: what came after it never happened; the savepoint stays. */
    public void rollbackTo(String name) {
        int index = lastSavepoint(name);
        if (index >= 0) {
            State saved = savepoints.get(index).state();
            savepoints.subList(index + 1, savepoints.size()).clear();
            change(saved.session(), saved.local());
        }
    }

    /** The transaction, explicit or not, has ended. */
    public void end(boolean committed) {
        savepoints.clear();
        if (state == beforeTransaction) {
            return;
        }
        if (!committed) {
            change(beforeTransaction.session(), Map.of());
        } else if (!state.local().isEmpty()) {
            change(state.session(), Map.of());
        }
        beforeTransaction = state;
    }

    private int lastSavepoint(String name) {
        for (int i = savepoints.size() - 1; i >= 0; i--) {
            if (savepoints.get(i).name().equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private void change(Map<String, Value> session, Map<String, Value> local) {
        state = new State(session, local);
        version++;
    }

    private static Map<String, Value> with(Map<String, Value> map, String name, Value value) {
        Map<String, Value> copy = new HashMap<>(map);
        copy.put(name, value);
        return Map.copyOf(copy);
    }

    private static Map<String, Value> without(Map<String, Value> map, String name) {
        if (!map.containsKey(name)) {
            return map;
        }
        Map<String, Value> copy = new HashMap<>(map);
        copy.remove(name);
        return Map.copyOf(copy);
    }
}
