package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** Ends connections of a role, on the nodes themselves, at random. Not thread-safe. */
final class BackendKiller implements Disturbance {
    private static final int PAUSE_MILLIS_MAX = 400;

    private final List<ServerAddress> nodes;
    private final String role;
    private final Random random;
    private final Runnable killed;

    BackendKiller(List<ServerAddress> nodes, String role, Random random, Runnable killed) {
        this.nodes = List.copyOf(nodes);
        this.role = role;
        this.random = random;
        this.killed = killed;
    }

    /** Ends one connection if there is one. */
    @Override
    public void once() throws IOException, InterruptedException {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(PAUSE_MILLIS_MAX));
        ServerAddress node = nodes.get(random.nextInt(nodes.size()));
        try (WireClient client = WireClient.open(node, Map.of())) {
            int ended = client.mustRun("SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity"
                            + " WHERE usename = '" + role + "' ORDER BY random() LIMIT 1) one")
                    .size();
            if (ended > 0) {
                killed.run();
            }
        }
    }
}
