package dev.tenantry.check;

import dev.tenantry.client.Answer;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * One client of {@link IsolationCheck}: says what {@link RandomSteps} makes up, and compares each answer with what
 * {@link SessionModel} says. What a lost server leaves unknown it looks up. Not thread-safe.
 */
final class IsolationClient implements AutoCloseable {
    private static final int HISTORY_MAX = 500;
    private static final Duration RECOVERY_MAX = Duration.ofSeconds(60);
    private static final long RETRY_MILLIS = 50;

    private final IsolationBed bed;
    private final int number;
    private final RandomSteps steps;
    private final CheckCounts counts;
    private final Deque<String> history = new ArrayDeque<>();
    private SessionModel model;
    private WireClient client;

    IsolationClient(IsolationBed bed, int number, Random random, CheckCounts counts)
            throws IOException, InterruptedException {
        this.bed = bed;
        this.number = number;
        this.steps = new RandomSteps(random, number, bed.schemas());
        this.counts = counts;
        this.model = new SessionModel(bed.schemas(), bed.defaults());
        this.client = connect(bed, Map.of());
    }

    /** What was said and heard since the session began, the oldest first. */
    List<String> history() {
        return List.copyOf(history);
    }

    /** Takes one turn. */
    void turn() throws IOException, InterruptedException {
        Turn turn = steps.next(model.status());
        note("> " + turn);
        switch (turn) {
            case Turn.Text text -> {
                client.query(
                        String.join("; ", text.steps().stream().map(Step::sql).toList()));
                if (!text.copy().isNone()) {
                    client.copyData(text.copy().data());
                    client = text.copy().fails() ? client.copyFail() : client.copyDone();
                }
                compare(turn, session -> session.runTogether(text.steps()));
            }
            case Turn.Batch batch -> {
                batch.steps().forEach(step -> client.parse("", step.sql()).execute(""));
                client.sync();
                compare(turn, session -> session.runTogether(batch.steps()));
            }
            case Turn.ParseNamed parse -> {
                client.parse(parse.name(), parse.step().sql())
                        .execute(parse.name())
                        .sync();
                compare(
                        turn,
                        session -> List.of(session.run(
                                Step.of("", effect -> effect.prepareAndExecute(parse.name(), parse.step())))));
            }
            case Turn.BindNamed bind -> {
                client.execute(bind.name()).sync();
                compare(turn, session -> List.of(session.run(Step.ending("", effect -> effect.bind(bind.name())))));
            }
            case Turn.Cancel cancel -> cancel(cancel);
            case Turn.Reconnect reconnect -> {
                leave(reconnect);
                begin(reconnect.path());
            }
        }
        counts.turn();
    }

    private void note(String line) {
        history.add(line);
        if (history.size() > HISTORY_MAX) {
            history.remove();
        }
    }

    // --- answers ----------------------------------------------------------------------------------------------------

    private void compare(Turn turn, Function<SessionModel, List<Answer>> meaning)
            throws IOException, InterruptedException {
        SessionModel before = model.copy();
        List<Answer> expected = meaning.apply(model);
        Optional<List<Answer>> heard = hear(before, turn);
        if (heard.isPresent() && before.isCrippled() && !heard.get().getFirst().failed()) {
            before.heal();
            model = before;
            expected = meaning.apply(model);
        }
        if (heard.isPresent()) {
            requireSame(expected, heard.get());
        }
    }

    /** The answers; none if a server was lost or had no room, which is dealt with. */
    private Optional<List<Answer>> hear(SessionModel before, Turn turn) throws IOException, InterruptedException {
        List<Answer> heard;
        long asked = System.nanoTime();
        try {
            heard = client.answers();
            counts.waited(turn instanceof Turn.Cancel ? 0 : System.nanoTime() - asked);
        } catch (IOException lost) {
            note("< " + lost);
            requireLossesAreExpected("the connection was lost: " + lost);
            counts.lost();
            unknown(before, turn);
            return Optional.empty();
        }
        note("< " + heard + " " + client.status());
        boolean lost = heard.stream().anyMatch(Answer::isLoss);
        if (!lost && heard.stream().noneMatch(IsolationClient::isRefused)) {
            return Optional.of(heard);
        }
        if (lost) {
            requireLossesAreExpected("a server was lost");
            counts.lost();
        } else {
            counts.crowded();
        }
        if (turn.ends() || lost && before.status() == 'I') {
            unknown(before, turn);
        } else {
            model = before;
            if (lost) {
                doUpTo(turn, heard);
                model.lose();
            } else {
                model.fail();
            }
            requireStatus();
        }
        return Optional.empty();
    }

    /**
     * Whether the proxy could not go on with it: there was no room, or a schema has moved to a node whose snapshot the
     * transaction had before. Clients write to rows of their own, so that nothing else can't be serialized.
     */
    private static boolean isRefused(Answer answer) {
        return answer.isCrowded() || answer.failed() && answer.tag().equals("40001");
    }

    /** What was answered before the loss; beyond its block it matters to prepared statements. */
    private void doUpTo(Turn turn, List<Answer> heard) {
        int done = (int) heard.stream().takeWhile(answer -> !answer.failed()).count();
        switch (turn) {
            case Turn.Text text ->
                model.runTogether(
                        text.steps().subList(0, Math.min(done, text.steps().size())));
            case Turn.ParseNamed parse when client.parsed() > 0 -> model.prepare(parse.name(), parse.step());
            default -> {
                // nothing that outlives the block
            }
        }
    }

    private void requireSame(List<Answer> expected, List<Answer> heard) {
        boolean same = expected.size() == heard.size();
        for (int i = 0; same && i < expected.size(); i++) {
            same = expected.get(i).isSameAs(heard.get(i));
        }
        if (!same) {
            boolean foreign =
                    bed.schemas().stream().anyMatch(schema -> named(heard, schema) && !named(expected, schema));
            throw new CheckFailedException((foreign ? "another tenant's value" : "another answer") + ": expected "
                    + expected + ", got " + heard);
        }
        requireStatus();
    }

    private static boolean named(List<Answer> answers, String schema) {
        return answers.stream().anyMatch(answer -> answer.rows().toString().matches("(?s).*\\b" + schema + "\\b.*"));
    }

    private void requireStatus() {
        if (bed.losesServers() && model.status() == 'T' && client.status() == 'E') {
            counts.lost(); // of a server, between an answer and the end of the batch
            model.lose();
        }
        if (model.status() != client.status()) {
            throw new CheckFailedException(
                    "another transaction status: expected " + model.status() + ", got " + client.status());
        }
    }

    private void requireLossesAreExpected(String what) {
        if (!bed.losesServers()) {
            throw new CheckFailedException(what + ", and nobody has ended anything");
        }
    }

    // --- what nobody was told of ------------------------------------------------------------------------------------

    /** Begins a new session, and finds out whether what was said last has happened. */
    private void unknown(SessionModel before, Turn turn) throws IOException, InterruptedException {
        client.abandon();
        boolean mayHaveHappened = turn.ends() || before.status() == 'I';
        List<SessionModel.State> possible =
                mayHaveHappened ? List.of(before.stateBefore(), model.stateBefore()) : List.of(before.stateBefore());
        begin(List.of());
        Optional<SessionModel.State> found = Optional.empty();
        Instant end = Instant.now().plus(RECOVERY_MAX);
        while (found.isEmpty()) {
            try {
                found = Optional.of(look());
            } catch (IOException lostAgain) {
                if (Instant.now().isAfter(end)) {
                    throw lostAgain;
                }
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
                client.abandon();
                begin(List.of());
            }
        }
        SessionModel.State rows = found.get();
        note("found " + rows);
        if (possible.stream().noneMatch(state -> isOf(rows, state))) {
            throw new CheckFailedException(
                    "after a loss the rows must be as in one of " + possible + ", and are as in " + rows);
        }
        model.rowsAre(rows);
    }

    private static boolean isOf(SessionModel.State rows, SessionModel.State state) {
        return rows.numbers().equals(state.numbers()) && rows.copied().equals(state.copied());
    }

    /** This client's rows, when whatever still holds their locks has come to its end. */
    private SessionModel.State look() throws IOException {
        Map<String, Long> numbers = new HashMap<>();
        Map<String, Long> copied = new HashMap<>();
        for (String schema : bed.schemas()) {
            numbers.put(schema, number("SELECT n FROM " + schema + ".t WHERE client = " + number + " FOR UPDATE"));
            client.mustRun("BEGIN");
            client.mustRun("LOCK TABLE " + schema + ".own_" + number + " IN SHARE MODE");
            copied.put(schema, number("SELECT count(*) FROM " + schema + ".own_" + number));
            client.mustRun("COMMIT");
        }
        return new SessionModel.State(Map.of(), numbers, copied);
    }

    private long number(String sql) throws IOException {
        return Long.parseLong(String.valueOf(client.mustRun(sql).getFirst().getFirst()));
    }

    /** Whether all rows are there that must be, and no others; once there is nothing more to say. */
    void requireRows() throws IOException, InterruptedException {
        note("> the last look");
        leave(new Turn.Reconnect(false, false, List.of()));
        unknown(model, Turn.Text.of());
    }

    // --- sessions ---------------------------------------------------------------------------------------------------

    private void cancel(Turn.Cancel turn) throws IOException, InterruptedException {
        if (model.status() == 'E') {
            return;
        }
        client.query("SELECT pg_sleep(1)").send();
        TimeUnit.MILLISECONDS.sleep(turn.afterMillis());
        client.cancel();
        Optional<List<Answer>> heard = hear(model.copy(), turn);
        if (heard.isPresent()) {
            Answer answer = heard.get().getFirst();
            if (answer.tag().equals("57014")) {
                model.fail();
            } else if (!answer.tag().equals("SELECT 1")) { // which is when the request was there before the statement
                throw new CheckFailedException("a cancelled statement was answered " + answer);
            }
            requireStatus();
        }
    }

    private void leave(Turn.Reconnect how) throws IOException {
        if (how.politely()) {
            client.close();
        } else {
            if (how.busy() && model.status() != 'E') {
                client.query("SELECT pg_sleep(0.1)").send();
            }
            client.abandon();
        }
    }

    /** With a search_path of its own from the start, or without. */
    private void begin(List<String> path) throws IOException, InterruptedException {
        Map<String, String> settings = new HashMap<>(bed.defaults());
        Map<String, String> startup = new HashMap<>();
        path.forEach(schema -> {
            settings.put(SessionModel.SEARCH_PATH, schema);
            startup.put("options", "-c search_path=" + schema);
        });
        model.startAgain(settings);
        note("a new session " + startup);
        client = connect(bed, startup);
    }

    private static WireClient connect(IsolationBed bed, Map<String, String> startup)
            throws IOException, InterruptedException {
        Instant end = Instant.now().plus(RECOVERY_MAX);
        while (true) {
            try {
                return WireClient.open(bed.server(), startup);
            } catch (IOException failed) {
                boolean crowded = failed instanceof WireClient.RefusedException refused
                        && refused.answer().isCrowded();
                if (!crowded && !bed.losesServers() || Instant.now().isAfter(end)) {
                    throw failed;
                }
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
            }
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
