package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** Kills processes of this machine at random, as {@code kill -9} does. Not thread-safe. */
final class ProcessKiller implements Disturbance {
    private static final int PAUSE_MILLIS_MIN = 500;
    private static final int PAUSE_MILLIS_MAX = 5_000;

    private final List<Target> targets;
    private final Random random;
    private final TransferLog log;

    /**
     * What is killed.
     *
     * @param address where it listens
     * @param program what it runs
     */
    private record Target(ServerAddress address, String program) {
        Optional<ProcessHandle> process() throws IOException {
            return ListeningProcess.at(address, program);
        }
    }

    private ProcessKiller(List<Target> targets, Random random, TransferLog log) {
        this.targets = targets;
        this.random = random;
        this.log = log;
    }

    /**
     * One that kills these PostgreSQL servers.
     *
     * @throws IOException if one of them does not run here, or is somebody else's
     */
    static ProcessKiller ofServers(List<ServerAddress> servers, Random random, TransferLog log) throws IOException {
        return new ProcessKiller(present(servers, "postgres"), random, log);
    }

    /**
     * One that kills these proxies.
     *
     * @throws IOException if one of them does not run here, or is somebody else's
     */
    static ProcessKiller ofProxies(List<ServerAddress> proxies, Random random, TransferLog log) throws IOException {
        return new ProcessKiller(present(proxies, "java"), random, log);
    }

    private static List<Target> present(List<ServerAddress> addresses, String program) throws IOException {
        List<Target> targets =
                addresses.stream().map(address -> new Target(address, program)).toList();
        for (Target target : targets) {
            if (target.process().isEmpty()) {
                throw new IOException("nothing that may be killed listens at "
                        + target.address().host() + ":" + target.address().port()
                        + ": no process of this machine and of ours that runs " + program);
            }
        }
        return targets;
    }

    /** Kills one, unless it is just away. */
    @Override
    public void once() throws IOException, InterruptedException {
        TimeUnit.MILLISECONDS.sleep(random.nextInt(PAUSE_MILLIS_MIN, PAUSE_MILLIS_MAX));
        Target target = targets.get(random.nextInt(targets.size()));
        Optional<ProcessHandle> process = target.process();
        if (process.isPresent() && process.get().destroyForcibly()) {
            log.killed(target.program());
        }
    }
}
