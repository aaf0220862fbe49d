package dev.tenantry.check;

import dev.tenantry.client.Answer;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A session that goes on through another proxy when its own is lost, and knows which errors a client must live with.
 * Not thread-safe.
 */
final class BankSession implements AutoCloseable {
    private static final Duration AWAY_MAX = Duration.ofSeconds(60);
    private static final long RETRY_MILLIS = 50;

    /** Deadlocks, and what snapshots of a whole transaction can't have. */
    private static final Set<String> CONFLICTS = Set.of("40P01", "40001");

    /** What lock_timeout gives; and pauses of a schema, if they are too long. */
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private final BankBed bed;
    private final TransferLog log;
    private int proxy;
    private boolean prepared;
    private @Nullable WireClient open;

    /**
     * Not open yet.
     *
     * @param proxy which of them it tries first, from 0
     */
    BankSession(BankBed bed, int proxy, TransferLog log) {
        this.bed = bed;
        this.proxy = proxy;
        this.log = log;
    }

    /** The connection, a new one if there is none. */
    WireClient client() throws InterruptedException {
        WireClient found = open;
        if (found == null) {
            found = connect();
            open = found;
            prepared = false;
        }
        return found;
    }

    private WireClient connect() throws InterruptedException {
        Instant end = Instant.now().plus(AWAY_MAX);
        while (true) {
            try {
                return WireClient.open(bed.proxies().get(proxy % bed.proxies().size()), Map.of());
            } catch (WireClient.RefusedException refused) {
                requireExcuse(refused.answer(), "signing in");
                requireBefore(end, refused);
            } catch (IOException lost) {
                requireLosses(lost);
                requireBefore(end, lost);
            }
            proxy++;
            TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
        }
    }

    private static void requireBefore(Instant end, IOException failure) {
        if (Instant.now().isAfter(end)) {
            throw new CheckFailedException(
                    "no proxy has let a client in for " + AWAY_MAX.toSeconds() + " s, the last one said " + failure);
        }
    }

    /** The answers to what was said; none if the connection was lost, which is given up. */
    Optional<List<Answer>> hear() throws InterruptedException {
        try {
            return Optional.of(client().answers());
        } catch (SocketTimeoutException hung) {
            throw new CheckFailedException("no answer for a minute");
        } catch (IOException lost) {
            requireLosses(lost);
            log.lost();
            drop();
            return Optional.empty();
        }
    }

    /** Whether something goes wrong that a client must live with; what is nobody's fault but the cluster's is told. */
    void requireExcuse(Answer error, String to) {
        boolean excused = error.isCrowded() || CONFLICTS.contains(error.tag()) || bed.losesServers() && error.isLoss();
        if (!excused) {
            throw new CheckFailedException("an error that must not be: " + error + " to " + to);
        }
        log.excused(error);
    }

    private void requireLosses(IOException lost) {
        if (!bed.losesServers()) {
            throw new CheckFailedException("the connection was lost, and nobody has ended anything: " + lost);
        }
    }

    /** Leaves an open transaction. */
    void rollback() throws InterruptedException {
        WireClient left = open;
        if (left != null && left.status() != 'I') {
            left.query("ROLLBACK");
            if (hear().isPresent() && left.status() != 'I') {
                throw new CheckFailedException("ROLLBACK has left the session in status " + left.status());
            }
        }
    }

    /**
     * Statements that are to succeed, one after the other; none if one has not, which is dealt with. LOCK may also be
     * given up by lock_timeout.
     */
    Optional<List<Answer>> ask(List<String> statements) throws InterruptedException {
        Answer[] answers = new Answer[statements.size()];
        for (int i = 0; i < answers.length; i++) {
            client().query(statements.get(i));
            Optional<List<Answer>> heard = hear();
            if (heard.isEmpty()) {
                return Optional.empty();
            }
            answers[i] = heard.get().getLast();
            if (answers[i].failed()) {
                boolean locking = statements.get(i).startsWith("LOCK");
                if (!locking || !answers[i].tag().equals(LOCK_NOT_AVAILABLE)) {
                    requireExcuse(answers[i], statements.get(i));
                }
                rollback();
                return Optional.empty();
            }
        }
        return Optional.of(List.of(answers));
    }

    /** Prepares the statements of transfers if need be; whether they are. */
    boolean prepare() throws InterruptedException {
        WireClient client = client();
        if (!prepared) {
            for (String schema : bed.schemas()) {
                client.parse(
                        RandomScripts.updateName(schema),
                        "UPDATE " + schema + ".account SET balance = balance + $1 WHERE id = $2");
                client.parse(RandomScripts.entryName(schema), "INSERT INTO " + schema + ".entry VALUES ($1, $2, $3)");
            }
            client.sync();
            Optional<List<Answer>> heard = hear();
            prepared = heard.filter(List::isEmpty).isPresent();
            if (heard.isPresent() && !prepared) {
                requireExcuse(heard.get().getFirst(), "Parse");
                drop(); // as it does not matter which of them are
            }
        }
        return prepared;
    }

    /** Ends it without a word. */
    void drop() {
        WireClient lost = open;
        open = null;
        if (lost != null) {
            lost.abandon();
        }
    }

    @Override
    public void close() {
        WireClient left = open;
        open = null;
        if (left != null) {
            left.close();
        }
    }
}
