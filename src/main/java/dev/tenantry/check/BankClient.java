package dev.tenantry.check;

import dev.tenantry.check.Script.End;
import dev.tenantry.check.Script.Said;
import dev.tenantry.check.TransferLog.Fate;
import dev.tenantry.client.Answer;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * One client of {@link BankCheck}: makes transfers, and looks between them at what must be so at any moment. Not
 * thread-safe.
 */
final class BankClient implements AutoCloseable {
    private static final long TRANSFERS_MAX = 1_000_000_000L;

    private final BankBed bed;
    private final Random random;
    private final RandomScripts scripts;
    private final TransferLog log;
    private final BankSession session;
    private long next;
    private long wantedNanos;

    /** The one of that number, from 1. */
    BankClient(BankBed bed, int number, Random random, TransferLog log) {
        this.bed = bed;
        this.random = random;
        this.log = log;
        this.scripts = new RandomScripts(random, bed.schemas(), bed.accounts());
        this.session = new BankSession(bed, number, log);
        this.next = number * TRANSFERS_MAX;
    }

    /** Does one thing, or fails to in a way that clients must live with. */
    void turn() throws InterruptedException {
        if (wantedNanos == 0) {
            wantedNanos = System.nanoTime();
        }
        int dice = random.nextInt(100);
        boolean done = dice < 2 ? readTwice() : dice < 10 ? readAccount() : transfer();
        if (done) {
            log.waited(Duration.ofNanos(System.nanoTime() - wantedNanos));
            wantedNanos = 0;
        }
    }

    // --- transfers --------------------------------------------------------------------------------------------------

    private boolean transfer() throws InterruptedException {
        Script script = scripts.next(next++);
        if (script.way() == Script.Way.PREPARED && !session.prepare()) {
            return false;
        }
        Outcome outcome = say(script);
        log.ended(script.transfer(), outcome.fate(), script.way() + " " + script.end() + ": " + outcome.how());
        return outcome.asWanted();
    }

    /** What became of one; not as wanted if it is to be tried again. */
    private record Outcome(Fate fate, boolean asWanted, String how) {}

    private Outcome say(Script script) throws InterruptedException {
        List<List<Said>> parts = script.parts();
        for (int i = 0; i < parts.size(); i++) {
            List<Said> part = parts.get(i);
            boolean last = i == parts.size() - 1;
            if (last && script.end() == End.LEAVE) {
                session.drop();
                return new Outcome(Fate.FAILED, true, "leaving");
            }
            send(script.way(), part);
            if (last && script.end() == End.LEAVE_AT_COMMIT) {
                return leaveAtCommit();
            }
            Optional<List<Answer>> heard = session.hear();
            if (heard.isEmpty()) {
                boolean commitSaid = last && script.commitsAt() >= 0;
                return new Outcome(commitSaid ? Fate.IN_DOUBT : Fate.FAILED, false, "a lost connection");
            }
            Optional<Outcome> failure = compare(script, part, heard.get());
            if (failure.isPresent()) {
                session.rollback();
                return failure.get();
            }
        }
        if (session.client().status() != 'I') {
            throw new CheckFailedException("status " + session.client().status() + " behind " + script);
        }
        boolean commits = script.end() == End.COMMIT;
        return new Outcome(commits ? Fate.ACKNOWLEDGED : Fate.FAILED, true, "its answer");
    }

    private void send(Script.Way way, List<Said> part) throws InterruptedException {
        WireClient client = session.client();
        switch (way) {
            case SIMPLE, STRING, IMPLICIT_STRING ->
                client.query(String.join("; ", part.stream().map(Said::sql).toList()));
            case EXTENDED, BATCH, IMPLICIT_BATCH -> {
                part.forEach(step -> client.parse("", step.sql()).execute(""));
                client.sync();
            }
            case PREPARED -> {
                Said step = part.getFirst();
                if (step.name().isEmpty()) {
                    client.query(step.sql());
                } else {
                    client.execute(step.name(), step.parameters().toArray(String[]::new))
                            .sync();
                }
            }
        }
    }

    private Outcome leaveAtCommit() throws InterruptedException {
        Outcome outcome = new Outcome(Fate.IN_DOUBT, true, "leaving");
        try {
            session.client().send();
        } catch (IOException lost) {
            log.lost();
            outcome = new Outcome(Fate.IN_DOUBT, false, "a lost connection");
        }
        session.drop();
        return outcome;
    }

    /** What has gone wrong, if anything has. */
    private Optional<Outcome> compare(Script script, List<Said> part, List<Answer> heard) {
        for (int i = 0; i < heard.size(); i++) {
            Answer answer = heard.get(i);
            Said step = part.get(Math.min(i, part.size() - 1));
            boolean surplus = i >= part.size() && !answer.failed();
            if (surplus || !answer.failed() && !answer.tag().equals(step.expected())) {
                throw new CheckFailedException("answered " + answer + " to " + step.sql() + " in " + script);
            }
            if (answer.failed() && !answer.tag().equals(step.expected())) {
                session.requireExcuse(answer, step.sql() + " in " + script);
                boolean unknown = answer.isLoss() && isCommit(script, part, i);
                return Optional.of(
                        new Outcome(unknown ? Fate.IN_DOUBT : Fate.FAILED, false, answer + " to " + step.sql()));
            }
            if (answer.failed() && script.way().isTogether()) {
                return Optional.of(new Outcome(Fate.FAILED, true, "its failure"));
            }
        }
        if (heard.size() < part.size()) {
            throw new CheckFailedException("only " + heard.size() + " answers to " + part + " in " + script);
        }
        return Optional.empty();
    }

    /** Whether the transaction is committed at that step of the part, or behind it. */
    private static boolean isCommit(Script script, List<Said> part, int step) {
        return script.way().isTogether()
                ? script.commitsAt() >= 0 && step >= script.commitsAt()
                : part.getFirst().commits();
    }

    // --- reads ------------------------------------------------------------------------------------------------------

    private String schema() {
        return bed.schemas().get(random.nextInt(bed.schemas().size()));
    }

    private static long number(Answer answer) {
        String value = answer.rows().toString();
        if (!value.matches("\\[\\[-?\\d+]]")) {
            throw new CheckFailedException("a balance that is no number: " + answer);
        }
        return Long.parseLong(value.substring(2, value.length() - 2));
    }

    /** An account and its entries, in one snapshot. */
    private boolean readAccount() throws InterruptedException {
        String schema = schema();
        String account = schema + ".account";
        int number = 1 + random.nextInt(bed.accounts());
        String sql = "SELECT balance - coalesce((SELECT sum(amount) FROM " + schema + ".entry WHERE account = " + number
                + "), 0) FROM " + account + " WHERE id = " + number;
        Optional<List<Answer>> heard = session.ask(List.of(sql));
        if (heard.isPresent() && number(heard.get().getFirst()) != BankBed.BALANCE) {
            throw new CheckFailedException(
                    "the balance of account " + number + " of " + schema + " is not what its entries make of it: "
                            + heard.get().getFirst() + " instead of " + BankBed.BALANCE);
        }
        heard.ifPresent(all -> log.read());
        return heard.isPresent();
    }

    /** The sums of two schemas, twice each in one transaction with one snapshot for each node. */
    private boolean readTwice() throws InterruptedException {
        String one = "SELECT sum(balance) FROM " + schema() + ".account";
        String other = "SELECT sum(balance), count(*) FROM " + schema() + ".account";
        Optional<List<Answer>> heard = session.ask(
                List.of("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", one, other, other, one, "COMMIT"));
        if (heard.isPresent()) {
            List<Answer> sums = heard.get();
            if (!sums.get(1).isSameAs(sums.get(4)) || !sums.get(2).isSameAs(sums.get(3))) {
                throw new CheckFailedException("REPEATABLE READ has read different sums: " + sums);
            }
            log.read();
        }
        return heard.isPresent();
    }

    /**
     * What all accounts hold, while nobody can write: a transfer is whole behind its locks, on all nodes. Gives way to
     * others before they are taken for a deadlock.
     */
    void addUp() throws InterruptedException {
        List<String> statements = new ArrayList<>(List.of("BEGIN", "SET LOCAL lock_timeout TO '900ms'"));
        bed.schemas().forEach(schema -> statements.add("LOCK TABLE " + schema + ".account IN SHARE MODE"));
        bed.schemas().forEach(schema -> statements.add("SELECT sum(balance) FROM " + schema + ".account"));
        statements.add("COMMIT");
        Optional<List<Answer>> heard = session.ask(statements);
        if (heard.isPresent()) {
            int first = 2 + bed.schemas().size();
            long total = heard.get().subList(first, first + bed.schemas().size()).stream()
                    .mapToLong(BankClient::number)
                    .sum();
            if (total != bed.total()) {
                throw new CheckFailedException("all accounts hold " + total + " together instead of " + bed.total());
            }
            log.total();
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
