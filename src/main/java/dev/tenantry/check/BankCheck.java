package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Many clients move money between accounts of schemas on several nodes, in any way and any order, and note what they
 * are told. At no moment may money be lost or made, and at the end each transfer must be there once, as a whole, if it
 * was acknowledged; not at all, if it failed; and one or the other, if its client never heard.
 *
 * @param superusers where the cluster is reached, and by whom: one proxy or several
 * @param size how much is done at a time
 * @param seed decides what each client says
 * @param lasts for how long
 * @param trouble what happens beside the clients
 */
public record BankCheck(List<ServerAddress> superusers, Size size, long seed, Duration lasts, Trouble trouble) {
    private static final long TOTAL_MILLIS = 1_000;
    /**
     * How much.
     *
     * @param clients sessions at a time
     * @param schemas schemas, one node after the other
     * @param accounts accounts in each of them
     */
    public record Size(int clients, int schemas, int accounts) {}

    /** What is killed at random. */
    public enum Victim {
        /** The servers, coordinator and workers; processes of this machine. */
        NODES,
        /** The proxies that the addresses lead to; processes of this machine. */
        PROXIES,
        /** Connections to the nodes, on the nodes. */
        BACKENDS
    }

    /**
     * What happens beside the clients.
     *
     * @param outages whether somebody else takes away connections and servers
     * @param kills what the check takes away itself; somebody else brings it back
     * @param moves whether schemas move from node to node at random
     */
    public record Trouble(boolean outages, Set<Victim> kills, boolean moves) {
        static final Trouble NONE = new Trouble(false, Set.of(), false);

        public Trouble {
            kills = Set.copyOf(kills);
        }

        boolean losesServers() {
            return outages || !kills.isEmpty();
        }
    }

    public BankCheck {
        superusers = List.copyOf(superusers);
    }

    /**
     * Does it.
     *
     * @return what was done, in one line
     * @throws CheckFailedException if something was wrong
     * @throws IOException if the cluster can't be prepared for it, or what was made for it not be removed
     */
    String run() throws IOException, InterruptedException {
        BankBed bed = BankBed.make(superusers, size.schemas(), size.accounts(), trouble.losesServers());
        TransferLog log = new TransferLog();
        try {
            Crew crew = new Crew(Instant.now().plus(lasts));
            Random random = new Random(seed);
            for (int client = 1; client <= size.clients(); client++) {
                int number = client;
                Random choices = new Random(random.nextLong());
                crew.add(() -> runClient(bed, number, choices, log, crew));
            }
            crew.add(() -> addUp(bed, log, crew));
            ClusterNodes nodes = ClusterNodes.of(superusers.getFirst());
            addKillers(crew, nodes.servers(), random, log);
            String moves = work(crew, bed, random);
            String recovery = new OpenWork(nodes.servers()).awaitNone();
            String doubts = new BankBooks(bed, log).check();
            BankBed.removeThroughAny(superusers);
            return "the books are right: " + log + " " + doubts + " recovered-after-ms=" + recovery + moves;
        } catch (CheckFailedException failed) {
            throw new CheckFailedException("seed=" + seed + " " + failed.getMessage() + "\n" + log);
        }
    }

    private void addKillers(Crew crew, List<ServerAddress> nodes, Random random, TransferLog log) throws IOException {
        if (trouble.kills().contains(Victim.NODES)) {
            crew.disturb(ProcessKiller.ofServers(nodes, new Random(random.nextLong()), log));
        }
        if (trouble.kills().contains(Victim.PROXIES)) {
            crew.disturb(ProcessKiller.ofProxies(superusers, new Random(random.nextLong()), log));
        }
        if (trouble.kills().contains(Victim.BACKENDS)) {
            BackendKiller killer = new BackendKiller(
                    nodes, BankBed.ROLE, new Random(random.nextLong()), () -> log.killed("connection"));
            crew.disturb(() -> {
                try {
                    killer.once();
                } catch (IOException away) {
                    log.lost(); // as the clients of that node
                }
            });
        }
    }

    /** What the moves came to, if there were any. */
    private String work(Crew crew, BankBed bed, Random random) throws IOException, InterruptedException {
        if (!trouble.moves()) {
            crew.work();
            return "";
        }
        Mover mover = new Mover(superusers, bed.schemas(), random, trouble.losesServers());
        crew.disturb(mover);
        crew.work();
        return mover.awaitEnd();
    }

    private static void addUp(BankBed bed, TransferLog log, Crew crew) throws InterruptedException {
        try (BankClient client = new BankClient(bed, 0, new Random(), log)) {
            while (!crew.isOver()) {
                TimeUnit.MILLISECONDS.sleep(TOTAL_MILLIS);
                client.addUp();
            }
        }
    }

    private static void runClient(BankBed bed, int number, Random random, TransferLog log, Crew crew)
            throws InterruptedException {
        try (BankClient client = new BankClient(bed, number, random, log)) {
            while (!crew.isOver()) {
                client.turn();
            }
        }
    }
}
