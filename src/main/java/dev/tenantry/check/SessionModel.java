package dev.tenantry.check;

import dev.tenantry.client.Answer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one session of PostgreSQL would answer: its settings with the scopes of SET and SET LOCAL, its transaction with
 * savepoints, its prepared statements, and the rows that only it changes. Knows as much of SQL as {@link RandomSteps}
 * says; the manual's pages of SET, SAVEPOINT and PREPARE are the source of its rules. Pure; not thread-safe.
 */
final class SessionModel {
    static final String SEARCH_PATH = "search_path";

    private final List<String> schemas;
    private final Map<String, Step> prepared = new HashMap<>();
    private final Deque<Savepoint> savepoints = new ArrayDeque<>();
    private Map<String, String> defaults;
    private State now;
    private State atBegin;
    private boolean inBlock;
    private boolean readOnly;
    private boolean chained;
    private boolean failed;
    private boolean crippled;

    /** The value that SET has given, and the one of SET LOCAL before it, if any. */
    record Setting(String session, Optional<String> local) {
        String value() {
            return local.orElse(session);
        }
    }

    /**
     * What a rollback brings back.
     *
     * @param numbers the number in the client's row of each schema
     * @param copied how many rows the client's own table of each schema has
     */
    record State(Map<String, Setting> settings, Map<String, Long> numbers, Map<String, Long> copied) {
        State {
            settings = Map.copyOf(settings);
            numbers = Map.copyOf(numbers);
            copied = Map.copyOf(copied);
        }

        private Setting setting(String name) {
            return Objects.requireNonNull(settings.get(name));
        }

        private long number(String schema) {
            return Objects.requireNonNull(numbers.get(schema));
        }

        private long copied(String schema) {
            return Objects.requireNonNull(copied.get(schema));
        }

        private State with(String name, Setting setting) {
            Map<String, Setting> changed = new HashMap<>(settings);
            changed.put(name, setting);
            return new State(changed, numbers, copied);
        }

        private State withSettings(Map<String, Setting> others) {
            return new State(others, numbers, copied);
        }

        private State withNumber(String schema, long number) {
            Map<String, Long> changed = new HashMap<>(numbers);
            changed.put(schema, number);
            return new State(settings, changed, copied);
        }

        private State withCopied(String schema, long rows) {
            Map<String, Long> changed = new HashMap<>(copied);
            changed.merge(schema, rows, Long::sum);
            return new State(settings, numbers, changed);
        }

        /** As the end of a transaction leaves it. */
        private State committed() {
            Map<String, Setting> kept = new HashMap<>();
            settings.forEach((name, setting) -> kept.put(name, new Setting(setting.session(), Optional.empty())));
            return withSettings(kept);
        }
    }

    private record Savepoint(String name, State state) {}

    /** A new session's. */
    SessionModel(List<String> schemas, Map<String, String> defaults) {
        this.schemas = List.copyOf(schemas);
        this.defaults = Map.copyOf(defaults);
        Map<String, Long> none = new HashMap<>();
        schemas.forEach(schema -> none.put(schema, 0L));
        this.now = new State(initial(), none, none);
        this.atBegin = now;
    }

    private Map<String, Setting> initial() {
        Map<String, Setting> settings = new HashMap<>();
        defaults.forEach((name, value) -> settings.put(name, new Setting(value, Optional.empty())));
        return settings;
    }

    /** The same session at the same moment. */
    SessionModel copy() {
        SessionModel copy = new SessionModel(schemas, defaults);
        copy.prepared.putAll(prepared);
        copy.savepoints.addAll(savepoints);
        copy.now = now;
        copy.atBegin = atBegin;
        copy.inBlock = inBlock;
        copy.readOnly = readOnly;
        copy.chained = chained;
        copy.failed = failed;
        copy.crippled = crippled;
        return copy;
    }

    // --- as a whole -------------------------------------------------------------------------------------------------

    /** One statement alone. */
    Answer run(Step step) {
        return runTogether(List.of(step)).getFirst();
    }

    /** Statements of one string or one batch: outside a block they are a transaction. Ends with the first error. */
    List<Answer> runTogether(List<Step> steps) {
        boolean alone = !inBlock;
        State before = now;
        List<Answer> answers = new ArrayList<>();
        for (Step step : steps) {
            Answer answer = failed && !step.endsFailure()
                    ? Answer.error("25P02")
                    : step.effect().on(this);
            answers.add(answer);
            if (answer.failed()) {
                fail();
                now = alone ? before : now;
                break;
            }
        }
        if (alone && !inBlock) {
            now = now.committed();
        }
        return answers;
    }

    /**
     * A statement has failed. PostgreSQL undoes at once what a transaction without savepoints has done, and with it the
     * modes that its BEGIN gave, so that AND CHAIN does not find them; those that AND CHAIN itself gave stay.
     */
    void fail() {
        failed = inBlock;
        readOnly = readOnly && (chained || !savepoints.isEmpty());
    }

    /** Whether the block has lost a server. */
    boolean isCrippled() {
        return crippled;
    }

    /** The server that was lost had no part in the block yet: a savepoint helps. */
    void heal() {
        crippled = false;
    }

    /** A server is lost that had a part in the block: only its end helps, not even a savepoint. */
    void lose() {
        fail();
        crippled = inBlock;
    }

    /** The session ends, and another begins with these settings. */
    void startAgain(Map<String, String> startSettings) {
        rollback("");
        defaults = Map.copyOf(startSettings);
        prepared.clear();
        now = now.withSettings(initial());
        atBegin = now;
    }

    /** What is known again of the rows after an end that nobody was told of. */
    void rowsAre(State state) {
        now = new State(now.settings(), state.numbers(), state.copied());
        atBegin = now;
    }

    char status() {
        return !inBlock ? 'I' : failed ? 'E' : 'T';
    }

    /** What is there now. */
    State state() {
        return now;
    }

    /** What is there if the transaction is rolled back. */
    State stateBefore() {
        return inBlock ? atBegin : now;
    }

    // --- transactions -----------------------------------------------------------------------------------------------

    Answer begin(boolean reading) {
        if (!inBlock) {
            inBlock = true;
            readOnly = reading;
            atBegin = now;
        }
        return Answer.of("BEGIN");
    }

    /** COMMIT, with {@code " AND CHAIN"} or nothing behind it. */
    Answer commit(String chain) {
        if (failed) {
            return rollback(chain);
        }
        return end(now.committed(), "COMMIT", chain);
    }

    /** ROLLBACK, with {@code " AND CHAIN"} or nothing behind it. */
    Answer rollback(String chain) {
        return end(stateBefore(), "ROLLBACK", chain);
    }

    private Answer end(State state, String tag, String chain) {
        if (!chain.isEmpty() && !inBlock) {
            return Answer.error("25P01");
        }
        now = state;
        atBegin = now;
        savepoints.clear();
        failed = false;
        crippled = false;
        chained = !chain.isEmpty();
        if (chain.isEmpty()) {
            inBlock = false;
            readOnly = false;
        }
        return Answer.of(tag);
    }

    Answer savepoint(String name) {
        if (!inBlock) {
            return Answer.error("25P01");
        }
        savepoints.push(new Savepoint(name, now));
        return Answer.of("SAVEPOINT");
    }

    Answer release(String name) {
        Answer found = find(name);
        if (!found.failed()) {
            while (!savepoints.pop().name().equals(name)) {
                // those that were made after it end with it
            }
        }
        return found.failed() ? found : Answer.of("RELEASE");
    }

    Answer rollbackTo(String name) {
        Answer found = find(name);
        if (found.failed() || crippled) {
            return found.failed() ? found : Answer.error("25P02");
        }
        while (!savepoints.element().name().equals(name)) {
            savepoints.pop();
        }
        now = savepoints.element().state();
        failed = false;
        return Answer.of("ROLLBACK");
    }

    private Answer find(String name) {
        if (!inBlock) {
            return Answer.error("25P01");
        }
        boolean known = savepoints.stream().anyMatch(one -> one.name().equals(name));
        return known ? Answer.of("") : Answer.error("3B001");
    }

    // --- settings ---------------------------------------------------------------------------------------------------

    Answer set(String name, String value, boolean local) {
        Setting old = now.setting(name);
        now = now.with(
                name, local ? new Setting(old.session(), Optional.of(value)) : new Setting(value, Optional.empty()));
        return Answer.of("SET");
    }

    Answer setConfig(String name, String value, boolean local) {
        set(name, value, local);
        return Answer.row("SELECT 1", value);
    }

    Answer reset(String name) {
        set(name, defaults.getOrDefault(name, ""), false);
        return Answer.of("RESET");
    }

    Answer resetAll() {
        now = now.withSettings(initial());
        return Answer.of("RESET");
    }

    Answer show(String name) {
        return Answer.row("SHOW", value(name));
    }

    /** A setting of ours, by current_setting: one that is empty and one that never was differ only there. */
    Answer current(String name) {
        String value = value(name);
        return Answer.row("SELECT 1", value.isEmpty() ? null : value);
    }

    private String value(String name) {
        return now.setting(name).value();
    }

    Answer discardAll() {
        if (inBlock) {
            return Answer.error("25001");
        }
        prepared.clear();
        resetAll();
        return Answer.of("DISCARD ALL");
    }

    // --- prepared statements ----------------------------------------------------------------------------------------

    /** PREPARE, or Parse: what it names must be there. */
    Answer prepare(String name, Step step) {
        SessionModel trial = copy();
        trial.readOnly = false;
        trial.failed = false;
        Answer found = step.effect().on(trial);
        if (found.failed()) {
            return found;
        }
        if (prepared.containsKey(name)) {
            return Answer.error("42P05");
        }
        prepared.put(name, step);
        return Answer.of("PREPARE");
    }

    /** Parse of a named statement and its execution. */
    Answer prepareAndExecute(String name, Step step) {
        Answer parsed = prepare(name, step);
        return parsed.failed() ? parsed : execute(name);
    }

    Answer execute(String name) {
        Step step = prepared.get(name);
        return step == null ? Answer.error("26000") : step.effect().on(this);
    }

    /** Bind and Execute; the name is looked up before the state of the block. */
    Answer bind(String name) {
        return failed && prepared.containsKey(name) ? Answer.error("25P02") : execute(name);
    }

    Answer deallocate(String name) {
        return prepared.remove(name) == null ? Answer.error("26000") : Answer.of("DEALLOCATE");
    }

    Answer deallocateAll() {
        prepared.clear();
        return Answer.of("DEALLOCATE ALL");
    }

    // --- rows -------------------------------------------------------------------------------------------------------

    /** The schema that a name without one leads to; null for none. */
    private @Nullable String schema(Optional<String> named) {
        if (named.isPresent()) {
            return named.get();
        }
        for (String name : value(SEARCH_PATH).split(", ", -1)) {
            if (schemas.contains(name)) {
                return name;
            }
        }
        return null;
    }

    Answer currentSchema() {
        for (String name : value(SEARCH_PATH).split(", ", -1)) {
            if (schemas.contains(name) || name.equals("public")) {
                return Answer.row("SELECT 1", name);
            }
        }
        return Answer.row("SELECT 1", (String) null);
    }

    /** The owners of all rows. */
    Answer owners(Optional<String> named) {
        String schema = schema(named);
        return schema == null ? noTable() : Answer.row("SELECT 1", schema);
    }

    Answer whoAmI(Optional<String> named) {
        String schema = schema(named);
        return schema == null ? Answer.error("42883") : Answer.row("SELECT 1", schema);
    }

    /** The client's own row. */
    Answer number(Optional<String> named, String tag) {
        String schema = schema(named);
        return schema == null ? noTable() : Answer.row(tag, schema, "" + now.number(schema));
    }

    Answer add(Optional<String> named, long amount) {
        String schema = schema(named);
        if (schema == null) {
            return noTable();
        }
        if (readOnly) {
            return Answer.error("25006");
        }
        long sum = now.number(schema) + amount;
        now = now.withNumber(schema, sum);
        return Answer.row("UPDATE 1", schema, "" + sum);
    }

    /** Rows into the client's own table, by COPY or INSERT. */
    Answer copy(Optional<String> named, long rows, String tag) {
        String schema = schema(named);
        if (schema == null) {
            return noTable();
        }
        if (readOnly) {
            return Answer.error("25006");
        }
        now = now.withCopied(schema, rows);
        return Answer.of(tag);
    }

    /** A COPY that the client gives up. */
    Answer copyFails(Optional<String> named) {
        Answer begun = copy(named, 0, "");
        return begun.failed() ? begun : Answer.error("57014");
    }

    /** How many there are in it, and whose. */
    Answer copied(Optional<String> named) {
        String schema = schema(named);
        if (schema == null) {
            return noTable();
        }
        long rows = now.copied(schema);
        return Answer.row("SELECT 1", "" + rows, rows == 0 ? null : schema, rows == 0 ? null : schema);
    }

    private static Answer noTable() {
        return Answer.error("42P01");
    }
}
