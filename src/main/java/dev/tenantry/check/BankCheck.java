package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
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
 * @param outages whether connections and servers may be lost meanwhile
 */
public record BankCheck(List<ServerAddress> superusers, Size size, long seed, Duration lasts, boolean outages) {
    private static final long TOTAL_MILLIS = 1_000;
    /**
     * How much.
     *
     * @param clients sessions at a time
     * @param schemas schemas, one node after the other
     * @param accounts accounts in each of them
     */
    public record Size(int clients, int schemas, int accounts) {}

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
        BankBed bed = BankBed.make(superusers, size.schemas(), size.accounts(), outages);
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
            crew.work();
            String recovery = new OpenWork(nodes()).awaitNone();
            String doubts = new BankBooks(bed, log).check();
            BankBed.remove(superusers.getFirst());
            return "the books are right: " + log + " " + doubts + " recovered-after-ms=" + recovery;
        } catch (CheckFailedException failed) {
            throw new CheckFailedException("seed=" + seed + " " + failed.getMessage() + "\n" + log);
        }
    }

    private List<ServerAddress> nodes() throws IOException {
        return ClusterNodes.of(superusers.getFirst()).servers();
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
