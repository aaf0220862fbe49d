package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Transactions that nodes still hold when the clients have gone; the nodes themselves are asked. */
final class OpenWork {
    private static final Duration RECOVERY_MAX = Duration.ofSeconds(60);
    private static final long RETRY_MILLIS = 50;

    /** One that ends on one node may be open on the next only for as long as the looks take. */
    private static final int LOOKS = 2;

    private final List<ServerAddress> nodes;

    OpenWork(List<ServerAddress> nodes) {
        this.nodes = List.copyOf(nodes);
    }

    /**
     * Waits until nothing is open and nothing prepared, by itself, as it must without anybody's help.
     *
     * @return how long it took, and what was the last to go
     * @throws CheckFailedException if something stays
     */
    String awaitNone() throws InterruptedException {
        Instant begun = Instant.now();
        String last = "";
        int clean = 0;
        while (clean < LOOKS) {
            List<String> left = left();
            clean = left.isEmpty() ? clean + 1 : 0;
            last = left.isEmpty() ? last : " (" + left.getLast() + ")";
            if (!left.isEmpty() && Instant.now().isAfter(begun.plus(RECOVERY_MAX))) {
                throw new CheckFailedException(
                        "what remains " + RECOVERY_MAX.toSeconds() + " s after the last client: " + left);
            }
            TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
        }
        return Duration.between(begun, Instant.now()).toMillis() + last;
    }

    /** A node that does not answer counts as well. */
    private List<String> left() {
        List<String> left = new ArrayList<>();
        for (ServerAddress node : nodes) {
            try (WireClient client = WireClient.open(node, Map.of())) {
                client.mustRun("SELECT 'prepared ' || gid FROM pg_prepared_xacts"
                                + " WHERE database = current_database() AND gid LIKE 'tenantry\\_%'"
                                + " UNION ALL SELECT 'session ' || pid || ' ' || state || ': ' || query"
                                + " FROM pg_stat_activity WHERE usename = '" + BankBed.ROLE + "'"
                                + " AND (state <> 'idle' OR backend_xid IS NOT NULL)")
                        .forEach(row -> left.add(node + " " + row.getFirst()));
            } catch (IOException away) {
                left.add(node + " " + away);
            }
        }
        return left;
    }
}
