package dev.tenantry.proxy.session;

import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SearchPath;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.wire.ClientEncoding;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    /** The setting that SET ROLE sets. */
    public static final String ROLE = "role";

    /** Who the session is and acts as, which RESET ALL does not touch. */
    public static final Set<String> IDENTITY = Set.of(ROLE, "session_authorization");

    /** What it says when there is none. */
    private static final String NO_ROLE = "none";

    private static final String DATE_STYLE = "datestyle";
    private static final String SEED = "seed";
    private static final String DEFAULT_SEARCH_PATH = "\"$user\", public";

    /** What no RESET ALL touches ({@code GUC_NO_RESET_ALL} of PostgreSQL's sources). */
    private static final Set<String> NO_RESET_ALL = Set.of(
            ROLE,
            "session_authorization",
            SEED,
            StatementAction.SetVariable.CONSTRAINTS,
            "transaction_isolation",
            "transaction_read_only",
            "transaction_deferrable");

    /** What a transaction has of itself: it ends with the transaction however it was set. */
    private static final List<String> MODES =
            List.of("transaction_isolation", "transaction_read_only", "transaction_deferrable");

    /**
     * A value.
     *
     * @param text as {@code set_config} takes it, or null when only the statement can express it
     * @param statement the SET statement itself, one character a byte, or null
     * @param setBy the role that had to be taken to set it, or null: its session's own would have done
     */
    public record Value(
            @Nullable String text,
            @Nullable String statement,
            @Nullable String setBy) {
        /** What the session has without any SET: SET LOCAL name TO DEFAULT. */
        public static final Value DEFAULT = new Value(null, null);

        /** A value that the session itself may set. */
        public Value(@Nullable String text, @Nullable String statement) {
            this(text, statement, null);
        }
    }

    /**
     * All settings at one moment; the same reference as long as nothing changed.
     *
     * @param session what lasts beyond the transaction
     * @param local what ends with the transaction
     */
    public record State(Map<String, Value> session, Map<String, Value> local) {

        /** The same but for one setting; {@code local} if only what ends with the transaction is left out. */
        public State without(String name, boolean local) {
            return new State(
                    local ? session : SessionSettings.without(session, name),
                    SessionSettings.without(this.local, name));
        }

        /** The role that SET has given the session or its transaction, {@code none} for none; null if it has not. */
        @Nullable
        public String role() {
            Value its = local.get(ROLE);
            Value role = its == null ? session.get(ROLE) : its;
            if (role == null || its == null && role.equals(Value.DEFAULT)) {
                return null;
            }
            return role.text() == null ? NO_ROLE : role.text();
        }
    }

    private record Savepoint(String name, State state) {}

    private final Map<String, String> startup;
    private final Map<String, Value> begun;
    private final List<Savepoint> savepoints = new ArrayList<>();
    private State state;
    private State beforeTransaction;
    private int version;
    private boolean custom;
    private int charsetVersion = -1;
    private Charset charset = StandardCharsets.UTF_8;
    private int rulesVersion = -1;
    private LexicalRules rules = LexicalRules.DEFAULT;
    private int searchPathVersion = -1;
    private List<String> searchPath = List.of();

    /**
     * Settings of a session that has just begun.
     *
     * @param startup what a connection of its to a node has from the start
     * @param begun what its client has asked for at start-up beyond that: the session begins as if it had set it, and
     *     goes back to it where others go back to what the connection has
     */
    public SessionSettings(Map<String, String> startup, Map<String, String> begun) {
        this.startup = Map.copyOf(startup);
        Map<String, Value> values = new HashMap<>();
        begun.forEach((name, text) -> values.put(name, new Value(text, null)));
        this.begun = Map.copyOf(values);
        this.state = new State(this.begun, Map.of());
        this.beforeTransaction = state;
        begun.keySet().forEach(this::noteCustom);
    }

    /** Whether its client has asked for this setting at start-up, so that a connection's own default is not its. */
    public boolean hasBegunWith(String name) {
        return begun.containsKey(name);
    }

    /** Whether {@link #hasBegunWith(String)} holds of any. */
    public boolean hasBegunWithAny() {
        return !begun.isEmpty();
    }

    /** Whether RESET does not go back to what a connection began with, or a connection must begin with the setting. */
    public static boolean belongsToConnection(String name) {
        return NO_RESET_ALL.contains(name) || name.endsWith("_preload_libraries");
    }

    /** Whether not every role may set it, so that it matters which role a session had when it did. */
    public static boolean isForSuperusers(String name) {
        return SuperuserSettings.has(name);
    }

    /** Grows with every change; equal versions mean equal settings. */
    public int version() {
        return version;
    }

    /** All of them. */
    public State current() {
        return state;
    }

    /** What lasts beyond the transaction; the same reference as long as nothing changed. */
    public Map<String, Value> session() {
        return state.session();
    }

    /** What decides what a statement means that is parsed now: all but the modes of the transaction. */
    public State meaning() {
        return state.local().isEmpty() || !MODES.containsAll(state.local().keySet())
                ? state
                : new State(state.session(), Map.of());
    }

    /** Whether the open transaction has set nothing but its own modes. */
    public boolean isUntouched() {
        return state.session() == beforeTransaction.session()
                && MODES.containsAll(state.local().keySet());
    }

    /** Whether a setting is a mode of the transaction, such as {@code transaction_isolation}. */
    public static boolean isMode(String name) {
        return MODES.contains(name);
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
        return effective(state, name);
    }

    /** The value that counted at another moment. */
    @Nullable
    String effective(State at, String name) {
        Value value = at.local().get(name);
        if (value == null) {
            value = at.session().get(name);
        }
        return value == null || value.equals(Value.DEFAULT) ? startup.get(name) : value.text();
    }

    /** The encoding of the client's text; one that we can't read bytes of is refused before it gets here. */
    public Charset charset() {
        if (charsetVersion != version) {
            charset = charset(state);
            charsetVersion = version;
        }
        return charset;
    }

    /** The encoding of the client's text at another moment. */
    public Charset charset(State at) {
        String encoding = effective(at, "client_encoding");
        return encoding == null ? StandardCharsets.UTF_8 : ClientEncoding.charset(encoding);
    }

    /** A name as its bytes in the client's encoding, one character a byte, which is how messages carry it. */
    public String onWire(String name) {
        for (int i = 0; i < name.length(); i++) {
            if (name.charAt(i) > 0x7f) {
                return new String(name.getBytes(charset()), StandardCharsets.ISO_8859_1);
            }
        }
        return name;
    }

    /** What changes how the client's text is read. */
    public LexicalRules lexicalRules() {
        if (rulesVersion != version) {
            String strings = effective("standard_conforming_strings");
            rules = new LexicalRules(!SettingValues.isOff(strings), charset());
            rulesVersion = version;
        }
        return rules;
    }

    /** The effective search_path as a list of exact names. */
    public List<String> searchPath() {
        if (searchPathVersion != version) {
            searchPath = searchPath(state);
            searchPathVersion = version;
        }
        return searchPath;
    }

    /** The search_path of another moment. */
    public List<String> searchPath(State at) {
        String text = effective(at, "search_path");
        return SearchPath.parse(text == null ? DEFAULT_SEARCH_PATH : text).orElse(List.of());
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

    /**
     * The server has reported its DateStyle, which has two parts: who sets one keeps the other. What is brought to
     * another connection must have both.
     */
    public void observedDateStyle(@Nullable String value) {
        boolean local = state.local().containsKey(DATE_STYLE);
        Value known = (local ? state.local() : state.session()).get(DATE_STYLE);
        boolean isSet = known != begun.get(DATE_STYLE) && !Value.DEFAULT.equals(known);
        if (known != null && isSet && value != null && !value.equals(known.text())) {
            set(DATE_STYLE, new Value(value, null), local);
        }
    }

    /** BEGIN with these modes. */
    public void begin(List<StatementAction.SetVariable> modes) {
        for (StatementAction.SetVariable mode : modes) {
            if (mode.value() instanceof StatementAction.SettingValue.Text(String text)) {
                set(mode.name(), new Value(text, null), true);
            }
        }
    }

    /** SET or SET LOCAL. */
    public void set(String name, Value given, boolean local) {
        if (name.equals(SEED)) {
            return; // no value that another connection could be brought to, but an act
        }
        noteCustom(name);
        Value value = SuperuserSettings.has(name) ? withRole(given) : given;
        if (local || isMode(name)) {
            Value set = value.equals(Value.DEFAULT) ? begun.getOrDefault(name, value) : value;
            change(state.session(), with(state.local(), name, set));
        } else {
            change(with(state.session(), name, value), without(state.local(), name));
        }
    }

    private Value withRole(Value given) {
        String role = effective(ROLE);
        return role == null || role.equals(NO_ROLE) || given.equals(Value.DEFAULT)
                ? given
                : new Value(given.text(), given.statement(), role);
    }

    private void noteCustom(String name) {
        custom |= name.indexOf('.') > 0 && !startup.containsKey(name);
    }

    /**
     * Whether a setting with a prefix was ever set, which leaves a trace in a server process that nothing removes: it
     * is empty there and not null ever after.
     */
    public boolean hasUsedCustom() {
        return custom;
    }

    /** RESET, or SET TO DEFAULT. */
    public void reset(String name) {
        Value first = begun.get(name);
        change(
                first == null ? without(state.session(), name) : with(state.session(), name, first),
                without(state.local(), name));
    }

    /** RESET ALL: everything but the identity of the session and the modes of the transaction. */
    public void resetAll() {
        State swept = withoutAll(state);
        Map<String, Value> session = new HashMap<>(begun);
        session.putAll(swept.session());
        change(swept.session().isEmpty() ? begun : Map.copyOf(session), swept.local());
    }

    /** What a connection with these settings has after RESET ALL. */
    public static State withoutAll(State had) {
        return new State(kept(had.session(), NO_RESET_ALL), kept(had.local(), NO_RESET_ALL));
    }

    private static Map<String, Value> kept(Map<String, Value> of, Collection<String> names) {
        Map<String, Value> kept = new HashMap<>(of);
        kept.keySet().retainAll(names);
        return Map.copyOf(kept);
    }

    /** DISCARD ALL: everything. */
    public void discardAll() {
        change(begun, Map.of());
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
            state = savepoints.get(index).state(); // the very one, which nodes in the block are compared with
            savepoints.subList(index + 1, savepoints.size()).clear();
            version++;
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

    /** The transaction has failed, which on a server takes its modes back to the session's defaults. */
    public void forgetModes() {
        Map<String, Value> others = new HashMap<>(state.local());
        others.keySet().removeAll(MODES);
        change(state.session(), Map.copyOf(others));
    }

    /** The transaction has ended and another has begun with its modes (AND CHAIN). */
    public void chain(boolean committed) {
        Map<String, Value> modes = new HashMap<>(kept(state.local(), MODES));
        for (String mode : MODES) {
            String byDefault = "default_" + mode;
            String was = effective(beforeTransaction, byDefault);
            if (was != null && !was.equals(effective(byDefault))) {
                modes.putIfAbsent(mode, new Value(was, null)); // a new default is not for this transaction
            }
        }
        end(committed);
        if (!modes.isEmpty()) {
            change(state.session(), Map.copyOf(modes));
        }
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
