package dev.tenantry.check;

import dev.tenantry.client.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Makes up what a client does. Its choices depend on the seed and on the transaction status only. */
final class RandomSteps {
    static final String MARK = "isolation.mark";
    static final String WORK_MEM = "work_mem";
    static final String APPLICATION = "application_name";

    private static final List<String> SAVEPOINTS = List.of("a", "b");
    private static final List<String> NAMES = List.of("p1", "p2", "s1");

    private final Random random;
    private final int client;
    private final List<String> schemas;

    RandomSteps(Random random, int client, List<String> schemas) {
        this.random = random;
        this.client = client;
        this.schemas = List.copyOf(schemas);
    }

    Turn next(char status) {
        int dice = random.nextInt(100);
        if (status == 'E' && dice < 60 || status == 'T' && dice < 25) {
            return said(transaction(status));
        }
        if (status == 'I' && dice < 20) {
            return said(begin());
        }
        return switch (random.nextInt(40)) {
            case 0, 1, 2, 3, 4, 5, 6, 7 -> said(setting());
            case 8, 9, 10, 11, 12, 13, 14, 15 -> said(read());
            case 16, 17, 18, 19 -> said(write());
            case 20, 21, 22, 23 -> Turn.Text.of(sqlPrepared());
            case 24, 25 -> new Turn.ParseNamed(pick(NAMES), preparable());
            case 26, 27, 28 -> new Turn.BindNamed(pick(NAMES));
            case 29, 30 -> new Turn.Text(several(), new Turn.Copy("", false));
            case 31, 32, 33 -> new Turn.Batch(several());
            case 34, 35 -> copy();
            case 36 -> said(failure());
            case 37 -> random.nextInt(4) == 0 ? new Turn.Cancel(random.nextInt(20)) : said(discard());
            case 38 ->
                random.nextInt(3) == 0
                        ? new Turn.Reconnect(
                                random.nextBoolean(),
                                random.nextInt(3) == 0,
                                random.nextBoolean() ? List.of(schema()) : List.of())
                        : said(read());
            default -> said(transaction(status));
        };
    }

    /** By the simple protocol, or parsed without a name. */
    private Turn said(Step step) {
        return random.nextInt(3) == 0 ? new Turn.Batch(List.of(step)) : Turn.Text.of(step);
    }

    private String schema() {
        return pick(schemas);
    }

    private <T> T pick(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    // --- transactions

    private Step begin() {
        return switch (random.nextInt(6)) {
            case 0 -> Step.of("BEGIN READ ONLY", session -> session.begin(true));
            case 1 -> Step.of("BEGIN ISOLATION LEVEL REPEATABLE READ", session -> session.begin(false));
            default -> Step.of("BEGIN", session -> session.begin(false));
        };
    }

    private Step transaction(char status) {
        String name = pick(SAVEPOINTS);
        return switch (random.nextInt(status == 'I' ? 16 : 14)) {
            case 0, 1, 2 -> Step.ending("COMMIT", session -> session.commit(""));
            case 3, 4 -> Step.ending("ROLLBACK", session -> session.rollback(""));
            case 5 -> Step.ending("COMMIT AND CHAIN", session -> session.commit(" AND CHAIN"));
            case 6 -> Step.ending("ROLLBACK AND CHAIN", session -> session.rollback(" AND CHAIN"));
            case 7, 8, 9 -> Step.of("SAVEPOINT " + name, session -> session.savepoint(name));
            case 10, 11, 12 -> Step.ending("ROLLBACK TO " + name, session -> session.rollbackTo(name));
            case 13 -> Step.of("RELEASE " + name, session -> session.release(name));
            default -> begin();
        };
    }

    // --- settings

    private Step setting() {
        int dice = random.nextInt(12);
        if (dice < 6) {
            String path = path();
            boolean local = random.nextInt(3) == 0;
            return dice < 4
                    ? Step.of(
                            "SET " + (local ? "LOCAL " : "") + "search_path TO " + path,
                            session -> session.set(SessionModel.SEARCH_PATH, path, local))
                    : Step.of(
                            "SELECT set_config('search_path', '" + path + "', " + local + ")",
                            session -> session.setConfig(SessionModel.SEARCH_PATH, path, local));
        }
        String name = pick(List.of(SessionModel.SEARCH_PATH, WORK_MEM, MARK, APPLICATION));
        if (dice == 6) {
            return Step.of("RESET " + name, session -> session.reset(name));
        }
        if (dice == 7) {
            return Step.of("SET work_mem TO 'nonsense'", session -> Answer.error("22023"));
        }
        String value = value(name);
        boolean local = random.nextInt(3) == 0;
        return Step.of(
                "SET " + (local ? "LOCAL " : "") + name + " TO "
                        + (name.equals(SessionModel.SEARCH_PATH) ? value : "'" + value + "'"),
                session -> session.set(name, value, local));
    }

    /** One that no other client has, but for the path. */
    private String value(String name) {
        return switch (name) {
            case SessionModel.SEARCH_PATH -> path();
            case WORK_MEM -> (2049 + client * 8 + random.nextInt(8)) * 2 + 1 + "kB";
            default -> "client" + client + "_" + random.nextInt(100);
        };
    }

    private String path() {
        return switch (random.nextInt(8)) {
            case 0 -> schema() + ", " + schema();
            case 1 -> schema() + ", public";
            case 2 -> "nowhere, " + schema();
            case 3 -> pick(List.of("public", "nowhere"));
            default -> schema();
        };
    }

    private Step discard() {
        return switch (random.nextInt(3)) {
            case 0 -> Step.of("DISCARD ALL", SessionModel::discardAll);
            case 1 -> Step.of("RESET ALL", SessionModel::resetAll);
            default -> Step.of("DEALLOCATE ALL", SessionModel::deallocateAll);
        };
    }

    private static Step failure() {
        return Step.of("SELECT 1/0", session -> Answer.error("22012"));
    }

    // --- rows

    /** A schema that is named, or none, so that the search_path decides; with its dot. */
    private Optional<String> named() {
        return random.nextInt(3) == 0 ? Optional.of(schema()) : Optional.empty();
    }

    private static String dotted(Optional<String> named) {
        return named.map(name -> name + ".").orElse("");
    }

    private Step read() {
        return switch (random.nextInt(8)) {
            case 0 -> Step.of("SHOW search_path", session -> session.show(SessionModel.SEARCH_PATH));
            case 1 -> {
                String name = pick(List.of(WORK_MEM, APPLICATION));
                yield Step.of("SHOW " + name, session -> session.show(name));
            }
            case 2 -> mark();
            case 3 -> {
                Optional<String> named = named();
                yield Step.of(
                        "SELECT count(*), min(owner), max(owner) FROM " + copyTable(named),
                        session -> session.copied(named));
            }
            case 4 -> Step.of("SELECT current_schema", SessionModel::currentSchema);
            default -> preparable();
        };
    }

    private static Step mark() {
        return Step.of("SELECT nullif(current_setting('" + MARK + "', true), '')", session -> session.current(MARK));
    }

    private Step preparable() {
        Optional<String> named = named();
        return switch (random.nextInt(7)) {
            case 0, 1 -> Step.of("SELECT DISTINCT owner FROM " + dotted(named) + "t", session -> session.owners(named));
            case 2, 3 -> Step.of(own(named), session -> session.number(named, "SELECT 1"));
            case 4 -> Step.of("SELECT " + dotted(named) + "whoami()", session -> session.whoAmI(named));
            case 5 -> mark();
            default -> update(named);
        };
    }

    private String own(Optional<String> named) {
        return "SELECT owner, n FROM " + dotted(named) + "t WHERE client = " + client;
    }

    private Step update(Optional<String> named) {
        int amount = 1 + random.nextInt(9);
        return Step.of(
                "UPDATE " + dotted(named) + "t SET n = n + " + amount + " WHERE client = " + client
                        + " RETURNING owner, n",
                session -> session.add(named, amount));
    }

    private Step write() {
        Optional<String> named = named();
        if (random.nextInt(3) > 0) {
            return update(named);
        }
        return Step.of(
                "INSERT INTO " + copyTable(named) + " SELECT owner FROM " + dotted(named) + "t WHERE client = "
                        + client,
                session -> session.copy(named, 1, "INSERT 0 1"));
    }

    private Step sqlPrepared() {
        String name = pick(NAMES);
        Step step = preparable();
        return switch (random.nextInt(6)) {
            case 0, 1 -> Step.of("PREPARE " + name + " AS " + step.sql(), session -> session.prepare(name, step));
            case 2 -> Step.of("DEALLOCATE " + name, session -> session.deallocate(name));
            default -> Step.of("EXECUTE " + name, session -> session.execute(name));
        };
    }

    private List<Step> several() {
        List<Step> steps = new ArrayList<>();
        for (int i = 2 + random.nextInt(3); i > 0; i--) {
            steps.add(
                    switch (random.nextInt(7)) {
                        case 0, 1 -> setting();
                        case 2, 3 -> write();
                        case 4 -> random.nextInt(3) == 0 ? failure() : mark();
                        default -> read();
                    });
        }
        return steps;
    }

    // --- COPY

    private String copyTable(Optional<String> named) {
        return dotted(named) + "own_" + client;
    }

    private Turn copy() {
        Optional<String> named = named();
        if (random.nextBoolean()) {
            return Turn.Text.of(
                    Step.of("COPY (" + own(named) + ") TO STDOUT", session -> session.number(named, "COPY 1")));
        }
        // The data must name the schema; where that is not known, the rows go to one that is named.
        String schema = named.orElseGet(this::schema);
        Optional<String> to = Optional.of(schema);
        int rows = 1 + random.nextInt(3);
        boolean fails = random.nextInt(5) == 0;
        Step step = Step.of(
                "COPY " + copyTable(to) + " FROM STDIN",
                session -> fails ? session.copyFails(to) : session.copy(to, rows, "COPY " + rows));
        return new Turn.Text(List.of(step), new Turn.Copy((schema + "\n").repeat(rows), fails));
    }
}
