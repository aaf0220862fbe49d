package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;

/**
 * Many clients do random things in schemas that hold their own names; each answer is compared with what PostgreSQL
 * would say. A value of another schema, a lost or doubled change, a setting or prepared statement that is not the
 * session's own: each ends the check with the seed and what the client had said and heard.
 *
 * @param superuser where the cluster is reached, and by whom
 * @param clients how many sessions there are at a time
 * @param schemas how many schemas
 * @param seed decides what each client says
 * @param lasts for how long
 * @param trouble what happens beside the clients
 */
public record IsolationCheck(
        ServerAddress superuser, int clients, int schemas, long seed, Duration lasts, Trouble trouble) {
    private static final int SHOWN_MAX = 120;

    /**
     * What happens beside the clients.
     *
     * @param kills whether connections to the nodes are ended at random, on the nodes
     * @param moves whether schemas move from node to node at random
     */
    public record Trouble(boolean kills, boolean moves) {
        static final Trouble NONE = new Trouble(false, false);
    }

    /**
     * Does it.
     *
     * @return what was done, in one line
     * @throws CheckFailedException if something was wrong
     * @throws IOException if the cluster can't be prepared for it
     */
    String run() throws IOException, InterruptedException {
        IsolationBed bed = IsolationBed.make(superuser, schemas, clients, trouble.kills());
        CheckCounts counts = new CheckCounts();
        Crew crew = new Crew(Instant.now().plus(lasts));
        Random random = new Random(seed);
        for (int client = 1; client <= clients; client++) {
            int number = client;
            Random choices = new Random(random.nextLong());
            crew.add(() -> runClient(bed, number, choices, counts, crew));
        }
        if (trouble.kills()) {
            List<ServerAddress> nodes = ClusterNodes.of(superuser).servers();
            crew.disturb(new BackendKiller(nodes, IsolationBed.ROLE, random, counts::killed));
        }
        String moves = "";
        if (trouble.moves()) {
            Mover mover = new Mover(List.of(superuser), bed.schemas(), random, trouble.kills());
            crew.disturb(mover);
            crew.work();
            moves = mover.awaitEnd();
        } else {
            crew.work();
        }
        IsolationBed.remove(superuser);
        return "no difference: " + counts + moves;
    }

    private void runClient(IsolationBed bed, int number, Random random, CheckCounts counts, Crew crew)
            throws IOException, InterruptedException {
        try (IsolationClient client = new IsolationClient(bed, number, random, counts)) {
            try {
                while (!crew.isOver()) {
                    client.turn();
                }
                client.requireRows();
            } catch (CheckFailedException | IOException failed) {
                List<String> history = client.history();
                List<String> shown = history.subList(Math.max(0, history.size() - SHOWN_MAX), history.size());
                throw new CheckFailedException("seed=" + seed + " client=" + number + " " + failed.getMessage()
                        + "\nwhat it said (>) and heard (<):\n  " + String.join("\n  ", shown));
            }
        }
    }
}
