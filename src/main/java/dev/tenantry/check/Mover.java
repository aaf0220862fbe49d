package dev.tenantry.check;

import dev.tenantry.client.Answer;
import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Moves schemas from node to node at random, by {@code citus_schema_move}, one after the other. One thread uses it. */
final class Mover implements Disturbance {
    private static final int PAUSE_MILLIS_MAX = 500;
    private static final Duration MOVE_MAX = Duration.ofMinutes(10);
    private static final int SHOWN_MAX = 3;

    private final List<ServerAddress> proxies;
    private final List<ServerAddress> nodes;
    private final List<String> schemas;
    private final Random random;
    private final boolean losesServers;
    private final String begun;
    private final LongAdder done = new LongAdder();
    private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();

    /**
     * One that has moved nothing yet.
     *
     * @param superusers proxies, one of which is asked each time
     * @param losesServers whether that may be lost
     */
    Mover(List<ServerAddress> superusers, List<String> schemas, Random random, boolean losesServers)
            throws IOException {
        this.proxies = List.copyOf(superusers);
        this.schemas = List.copyOf(schemas);
        this.random = random;
        this.losesServers = losesServers;
        try (WireClient client = open()) {
            this.begun = only(client, "SELECT now()");
            this.nodes = client.mustRun("SELECT nodename, nodeport FROM pg_dist_node WHERE shouldhaveshards").stream()
                    .map(row -> proxies.getFirst().at(row.getFirst() + "", Integer.parseInt(row.getLast() + "")))
                    .toList();
        }
        if (nodes.size() < 2) {
            throw new IOException("there are not two nodes that take schemas");
        }
    }

    /** Moves one. */
    @Override
    public void once() throws IOException, InterruptedException {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(PAUSE_MILLIS_MAX));
        String schema = schemas.get(random.nextInt(schemas.size()));
        int choice = random.nextInt(nodes.size());
        try (WireClient client = open()) {
            String now = only(
                    client,
                    "SELECT nodename || ':' || nodeport FROM citus_schemas WHERE schema_name::text = '" + schema + "'");
            List<ServerAddress> others = nodes.stream()
                    .filter(node -> !now.equals(node.host() + ":" + node.port()))
                    .toList();
            ServerAddress node = others.get(choice % others.size());
            Answer moved = client.ask(
                    "SELECT citus_schema_move('" + schema + "', '" + node.host() + "', " + node.port() + ")");
            if (moved.failed()) {
                failures.add(schema + " to " + node.host() + ":" + node.port() + ": " + moved);
            } else {
                done.increment();
            }
        } catch (IOException lost) {
            if (!losesServers) {
                throw lost;
            }
            failures.add(lost.toString());
        }
    }

    /**
     * Waits for moves that go on although the session that asked for them is lost.
     *
     * @return how many are done, how many have failed, with some of the reasons, and the longest pause of a cut-over
     * @throws CheckFailedException if not one has been done
     */
    String awaitEnd() throws IOException, InterruptedException {
        String ours = " FROM tenantry_moves WHERE schema_name IN ('" + String.join("', '", schemas) + "')";
        try (WireClient client = open()) {
            long end = System.nanoTime() + MOVE_MAX.toNanos();
            while (!only(client, "SELECT count(*)" + ours + " AND finished_at IS NULL")
                    .equals("0")) {
                if (System.nanoTime() > end) {
                    throw new CheckFailedException("a move has not ended for " + MOVE_MAX.toMinutes() + " minutes");
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS_MAX);
            }
            if (done.sum() == 0 && !failures.isEmpty()) {
                throw new CheckFailedException("no schema could be moved: " + failures.peek());
            }
            return this + " cut-over-ms-max="
                    + only(client, "SELECT coalesce(max(stall_ms), 0)" + ours + " AND requested_at >= '" + begun + "'");
        }
    }

    private WireClient open() throws IOException {
        return WireClient.open(proxies.get(random.nextInt(proxies.size())), Map.of())
                .answersWithin(MOVE_MAX);
    }

    private static String only(WireClient client, String sql) throws IOException {
        return String.valueOf(client.mustRun(sql).getFirst().getFirst());
    }

    /** How many are done and how many have failed, with some of the reasons. */
    @Override
    public String toString() {
        List<String> shown = new ArrayList<>(failures);
        return " moves=" + done + " moves-failed=" + shown.size()
                + (shown.isEmpty() ? "" : " " + shown.subList(0, Math.min(SHOWN_MAX, shown.size())));
    }
}
