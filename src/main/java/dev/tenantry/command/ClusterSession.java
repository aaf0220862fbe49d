package dev.tenantry.command;

import dev.tenantry.client.Answer;
import dev.tenantry.client.InsecureException;
import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A session with the cluster that is opened again when it is lost. Not thread-safe. */
final class ClusterSession implements AutoCloseable {

    private static final Duration AWAY_MAX = Duration.ofSeconds(60);
    private static final Duration RETRY = Duration.ofMillis(500);

    private final ServerAddress cluster;
    private final Consumer<String> notices;
    private @Nullable WireClient client;

    /**
     * Opened when first needed.
     *
     * @param notices told what the server says beside its answers
     */
    ClusterSession(ServerAddress cluster, Consumer<String> notices) {
        this.cluster = cluster;
        this.notices = notices;
    }

    /** Runs a statement that must succeed, once at most. */
    List<List<@Nullable String>> run(String sql) throws CommandFailedException {
        try {
            return rows(sql);
        } catch (IOException lost) {
            throw new CommandFailedException("no connection to " + cluster + ": " + lost.getMessage());
        }
    }

    /** Asks a question, again if the session is lost meanwhile. */
    List<List<@Nullable String>> ask(String sql) throws CommandFailedException, InterruptedException {
        long end = System.nanoTime() + AWAY_MAX.toNanos();
        while (true) {
            try {
                return rows(sql);
            } catch (IOException lost) {
                if (System.nanoTime() > end) {
                    throw new CommandFailedException("no connection to " + cluster + ": " + lost.getMessage());
                }
                Thread.sleep(RETRY);
            }
        }
    }

    private List<List<@Nullable String>> rows(String sql) throws IOException, CommandFailedException {
        WireClient open = client;
        try {
            if (open == null) {
                open = WireClient.open(cluster, Map.of("application_name", "tenantry"))
                        .tellNotices(notices);
                client = open;
            }
            Answer answer = open.ask(sql);
            if (answer.isLoss()) {
                throw new IOException(answer.message());
            }
            if (answer.failed()) {
                throw new CommandFailedException(answer.message());
            }
            return answer.rows();
        } catch (WireClient.RefusedException refused) {
            if (!refused.answer().isLoss()) {
                throw new CommandFailedException(refused.answer().message());
            }
            throw refused;
        } catch (InsecureException unsafe) {
            throw new CommandFailedException(String.valueOf(unsafe.getMessage()));
        } catch (IOException lost) {
            close();
            throw lost;
        }
    }

    @Override
    public void close() {
        WireClient open = client;
        client = null;
        if (open != null) {
            open.close();
        }
    }
}
