package dev.tenantry.fuzz;

import dev.tenantry.support.Message;
import dev.tenantry.support.RawClient;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Makes up what a client may say in a session over several schemas: settings in every form, transactions, savepoints,
 * prepared statements of both protocols, cursors, COPY, errors. The same seed makes the same scripts.
 *
 * <p>Each schema has the same objects: table {@code t (id, owner, n)} whose rows hold the schema's name, function
 * {@code whoami()} and sequence {@code sq}.
 */
final class SessionScripts {

    /** One thing said and waited for; the answer is what comes up to ReadyForQuery. */
    record Step(String label, Function<RawClient, List<Message>> action) {

        /** Whether it gives a statement a name. */
        boolean prepares() {
            return label.startsWith("PREPARE") || label.startsWith("Parse");
        }
    }

    private static final List<String> ISOLATION = List.of(
            "BEGIN",
            "BEGIN",
            "START TRANSACTION",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "BEGIN READ ONLY",
            "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE");
    private static final List<String> VARIABLES =
            List.of("work_mem", "application_name", "statement_timeout", "tenantry_fuzz.x", "extra_float_digits");
    /** Of two parts, which are set together or alone. */
    private static final List<String> DATE_STYLES = List.of(
            "SET datestyle TO SQL",
            "SET datestyle TO DMY",
            "SET LOCAL datestyle TO German",
            "RESET datestyle",
            "SHOW datestyle",
            "SELECT '1/2/2003'::date");

    /** Their names. */
    static final List<String> STATEMENTS = List.of("p1", "p2", "s1", "s2");

    private static final String ALL_COLUMNS = "SELECT * FROM t ORDER BY id";
    private static final List<String> PREPARED = List.of(
            "SELECT owner, n FROM t ORDER BY id",
            ALL_COLUMNS,
            "SELECT whoami()",
            "SELECT current_setting('search_path')",
            "UPDATE t SET n = n + 1 WHERE id = 1 RETURNING owner, n",
            "SELECT count(*) FROM t",
            "SELECT 7 / (SELECT 0 FROM t WHERE id = 1)");

    private final Random random;
    private final List<String> schemas;
    private final boolean oneNode;
    private final List<Supplier<Step>> choices = new ArrayList<>();
    private final Queue<Step> planned = new ArrayDeque<>();

    /**
     * Scripts over these schemas.
     *
     * @param role a role that may be SET
     * @param oneNode whether the schemas share a node
     * @param stays whether nothing leads away from that node, so that what belongs to one backend can be used
     */
    SessionScripts(Random random, List<String> schemas, String role, boolean oneNode, boolean stays) {
        this.random = random;
        this.schemas = schemas;
        this.oneNode = oneNode;
        add(10, () -> sql(read()));
        add(6, () -> sql(write()));
        add(5, () -> sql("SET search_path TO " + path()));
        add(3, () -> sql("SET LOCAL search_path TO " + path()));
        add(3, () -> sql("SELECT set_config('search_path', '" + path() + "', " + flag() + ")"));
        add(4, () -> sql(variable()));
        add(2, () -> sql(pick(DATE_STYLES)));
        add(3, () -> sql(pick(List.of("SET ROLE " + role, "RESET ROLE", "SET LOCAL ROLE " + role, "SET ROLE NONE"))));
        add(6, () -> sql(pick(ISOLATION)));
        add(6, () -> sql(pick(List.of("COMMIT", "COMMIT", "ROLLBACK"))));
        add(5, () -> sql(savepoint()));
        add(3, () -> sql(pick(List.of("SELECT 1/0", "SELECT nothing", "SELECT 1 FROM nowhere"))));
        add(4, () -> sql(sqlPrepared()));
        add(6, this::extended);
        add(4, this::pipeline);
        add(4, () -> sql(several()));
        add(3, this::copy);
        add(3, () -> sql(cursor()));
        add(2, () -> sql(alter()));
        add(3, this::changing);
        add(2, () -> sql(pick(List.of("DISCARD PLANS", "DEALLOCATE ALL", ""))));
        if (stays) {
            add(4, () -> sql(ofOneBackend()));
        } else {
            add(2, () -> sql(pick(List.of("RESET search_path", "SET search_path TO DEFAULT", "RESET ALL"))));
            add(1, () -> sql("DISCARD ALL"));
        }
    }

    private void add(int weight, Supplier<Step> choice) {
        for (int i = 0; i < weight; i++) {
            choices.add(choice);
        }
    }

    /** The next thing to say. */
    Step next() {
        return planned.isEmpty() ? pick(choices).get() : planned.poll();
    }

    private <T> T pick(List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    private String schema() {
        return pick(schemas);
    }

    private String flag() {
        return random.nextBoolean() ? "true" : "false";
    }

    private static Step sql(String text) {
        return new Step(text, client -> client.run(text));
    }

    private String path() {
        return switch (random.nextInt(8)) {
            case 0 -> schema() + ", public";
            case 1 -> "\"$user\", " + schema();
            case 2 -> "missing, " + schema();
            case 3 -> oneNode ? schema() + ", " + schema() : schema();
            case 4 -> "pg_catalog, " + schema();
            default -> schema();
        };
    }

    private String read() {
        return switch (random.nextInt(9)) {
            case 0 -> "SELECT owner, n FROM t ORDER BY id";
            case 1 -> "SELECT id, owner FROM " + schema() + ".t ORDER BY id";
            case 2 -> "SELECT whoami()";
            case 3 -> "SELECT " + schema() + ".whoami()";
            case 4 -> "SELECT current_schema, current_user, session_user";
            case 5 -> "SHOW search_path";
            case 6 -> current(pick(VARIABLES));
            case 7 -> "SHOW transaction_isolation";
            default -> "WITH t2 AS (SELECT * FROM t) SELECT count(*), min(owner) FROM t2";
        };
    }

    private String write() {
        int id = 1 + random.nextInt(9);
        return switch (random.nextInt(6)) {
            case 0 -> "UPDATE t SET n = n + " + id + " WHERE id <= 2";
            case 1 -> "UPDATE " + schema() + ".t SET n = " + id + " WHERE id = 1 RETURNING owner";
            case 2 ->
                "INSERT INTO t VALUES (" + id + ", whoami(), " + id + ") ON CONFLICT (id) DO UPDATE SET n = t.n + 1";
            case 3 -> "DELETE FROM t WHERE id > 3 AND id < " + id;
            case 4 -> "INSERT INTO t VALUES (1, 'duplicate', 0)";
            default ->
                "INSERT INTO " + schema() + ".t VALUES (" + id + ", '" + schema() + "', 0) ON CONFLICT DO NOTHING";
        };
    }

    private String variable() {
        String name = pick(VARIABLES);
        String value = "" + (100 + random.nextInt(200));
        String quoted = name.equals("extra_float_digits") ? "" + random.nextInt(3) : value;
        return switch (random.nextInt(6)) {
            case 0 -> "SET " + name + " = '" + quoted + "'";
            case 1 -> "SET LOCAL " + name + " = '" + quoted + "'";
            case 2 -> "RESET " + name;
            case 3 -> "SELECT set_config('" + name + "', '" + quoted + "', " + flag() + ")";
            case 4 -> "SET work_mem = 'nonsense'";
            default -> current(name);
        };
    }

    /** One that is not set is empty where it once was and null where it never was: the servers differ in that. */
    private static String current(String name) {
        return "SELECT nullif(current_setting('" + name + "', true), '')";
    }

    private String savepoint() {
        String name = pick(List.of("a", "b", "\"C é\""));
        return pick(List.of(
                "SAVEPOINT " + name,
                "SAVEPOINT " + name,
                "RELEASE " + name,
                "ROLLBACK TO " + name,
                "ROLLBACK TO " + name));
    }

    private String sqlPrepared() {
        String name = pick(List.of("p1", "p2", "s1"));
        return switch (random.nextInt(5)) {
            case 0, 1 -> "PREPARE " + name + " AS " + pick(PREPARED);
            case 2, 3 -> "EXECUTE " + name;
            default -> "DEALLOCATE " + name;
        };
    }

    private Step extended() {
        String name = pick(List.of("", "", "s1", "s2"));
        String text = pick(PREPARED);
        return switch (random.nextInt(5)) {
            case 0 -> step("Parse " + name + ": " + text, client -> client.parse(name, text));
            case 1, 2 ->
                step(
                        "Bind, Execute " + name,
                        client -> client.bind("", name).describe('P', "").execute("", 0));
            case 3 -> step("Close " + name, client -> client.close('S', name));
            default ->
                step(
                        "Parse, Bind, Execute " + name + ": " + text,
                        client -> client.parse(name, text)
                                .bind("", name)
                                .describe('P', "")
                                .execute("", 0));
        };
    }

    /** A statement that is prepared, and run when its table has been changed. */
    private Step changing() {
        String name = pick(STATEMENTS);
        planned.add(sql(random.nextInt(4) == 0 ? "SET search_path TO " + path() : alter()));
        planned.add(
                random.nextBoolean()
                        ? sql("EXECUTE " + name)
                        : step(
                                "Bind, Execute " + name,
                                client ->
                                        client.bind("", name).describe('P', "").execute("", 0)));
        return random.nextBoolean()
                ? sql("PREPARE " + name + " AS " + ALL_COLUMNS)
                : step("Parse " + name + ": " + ALL_COLUMNS, client -> client.parse(name, ALL_COLUMNS));
    }

    private String alter() {
        return "ALTER TABLE t " + pick(List.of("ADD COLUMN more int", "DROP COLUMN more"));
    }

    private static Step step(String label, Function<RawClient, RawClient> said) {
        return new Step(label + ", Sync", client -> said.apply(client).sync().readUntilReady());
    }

    /** Several statements in one batch, as drivers send them; an error makes the rest void and undoes what came. */
    private Step pipeline() {
        List<String> texts = new ArrayList<>();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            texts.add(
                    switch (random.nextInt(6)) {
                        case 0 -> write();
                        case 1 -> "SET search_path TO " + path();
                        case 2 -> "SELECT set_config('search_path', '" + schema() + "', " + flag() + ")";
                        case 3 -> random.nextInt(3) == 0 ? "SELECT 1/0" : pick(List.of("BEGIN", "COMMIT", "ROLLBACK"));
                        default -> read();
                    });
        }
        return step("pipeline " + texts, client -> {
            texts.forEach(text ->
                    client.parse("", text).bind("", "").describe('P', "").execute("", 0));
            return client;
        });
    }

    private String several() {
        String path = "SET LOCAL search_path TO " + path();
        return switch (random.nextInt(6)) {
            case 0 -> "BEGIN; " + path + "; " + read() + "; COMMIT";
            case 1 -> "SET search_path TO " + path() + "; " + read();
            case 2 -> write() + "; SELECT 1/0; " + write();
            case 3 -> path + "; " + read() + "; " + write();
            case 4 -> "SELECT 1; " + read() + "; ; SELECT 2";
            default -> write() + "; " + read();
        };
    }

    private Step copy() {
        if (random.nextBoolean()) {
            return sql("COPY t TO STDOUT");
        }
        String rows = random.nextInt(4) == 0 ? "x\ty\tz\n" : (20 + random.nextInt(1000)) + "\tcopied\t1\n";
        return new Step(
                "COPY t FROM STDIN: " + rows.strip(),
                client -> client.query("COPY t FROM STDIN")
                        .copyData(rows)
                        .copyDone()
                        .readUntilReady());
    }

    private String cursor() {
        return pick(List.of(
                "DECLARE c CURSOR FOR SELECT owner, id FROM t ORDER BY id",
                "FETCH 2 FROM c",
                "FETCH ALL FROM c",
                "MOVE 1 IN c",
                "CLOSE c"));
    }

    /** What stays with a backend: to be tried where there is only one. */
    private String ofOneBackend() {
        return pick(List.of(
                "CREATE TEMP TABLE tmp AS SELECT * FROM t",
                "SELECT count(*) FROM tmp",
                "SELECT owner FROM pg_temp.tmp ORDER BY id LIMIT 2",
                "DROP TABLE tmp",
                "DISCARD TEMP",
                "SELECT nextval('sq')",
                "SELECT currval('sq')",
                "SELECT lastval()",
                "SELECT pg_try_advisory_lock(4711)",
                "SELECT pg_advisory_unlock(4711)",
                "DECLARE h CURSOR WITH HOLD FOR SELECT owner, id FROM t ORDER BY id",
                "FETCH 1 FROM h",
                "CLOSE h",
                "CREATE TABLE " + schema() + ".made (a int)",
                "INSERT INTO " + schema() + ".made VALUES (1)",
                "DROP TABLE " + schema() + ".made",
                "LOCK TABLE t"));
    }
}
