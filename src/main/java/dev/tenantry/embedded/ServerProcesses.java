package dev.tenantry.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jboss.logging.Logger;

/**
 * The processes that work in one data folder, found by what the kernel says of them and not by what a file claims: a
 * PostgreSQL server and all its children have the data folder as working folder and {@code postgres} as program.
 */
final class ServerProcesses {

    /** PostgreSQL's ways to be told to stop; see "Shutting Down the Server" in its manual. */
    enum Shutdown {
        /** Ends sessions, rolls back what they do, writes a checkpoint. */
        FAST("INT"),
        /** Ends at once; the next start recovers from the log. */
        IMMEDIATE("QUIT"),
        /** By the kernel. */
        KILLED("KILL");

        private final String signal;

        Shutdown(String signal) {
            this.signal = signal;
        }
    }

    private static final Logger LOG = Logger.getLogger(ServerProcesses.class);
    private static final Duration FAST_LIMIT = Duration.ofSeconds(30);
    private static final Duration IMMEDIATE_LIMIT = Duration.ofSeconds(5);
    private static final long POLL_MILLIS = 5;

    private final Path dataFolder;

    ServerProcesses(Path dataFolder) {
        this.dataFolder = dataFolder;
    }

    /** Every process of the folder's server, or of one that died and left children. */
    List<ProcessHandle> alive() {
        Path folder;
        try {
            folder = dataFolder.toRealPath();
        } catch (IOException missing) {
            return List.of();
        }
        return ProcessHandle.allProcesses()
                .filter(process -> link(process, "cwd").filter(folder::equals).isPresent())
                .filter(process -> link(process, "exe")
                        .filter(program -> program.getFileName().toString().startsWith("postgres"))
                        .isPresent())
                .toList();
    }

    /**
     * Stops whatever runs in the folder: kindly, then less so. Returns when nothing does any more, and nothing is left
     * that the next server could take for one that runs.
     */
    void stopAll() {
        List<ProcessHandle> found = alive();
        if (!found.isEmpty()) {
            stop(found);
        }
        PostmasterFile.read(dataFolder).ifPresent(file -> forget(file.pid()));
    }

    private void stop(List<ProcessHandle> found) {
        Optional<ProcessHandle> postmaster = postmaster(found);
        postmaster.ifPresent(process -> {
            LOG.infof("stopping a server left over from an earlier run folder=%s pid=%d", dataFolder, process.pid());
            stop(process);
        });
        // Children of a killed postmaster notice by themselves, unless they are busy.
        await(this::isEmpty, postmaster.isPresent() ? IMMEDIATE_LIMIT : Duration.ofMillis(200));
        signal(Shutdown.IMMEDIATE, alive());
        if (!await(this::isEmpty, IMMEDIATE_LIMIT)) {
            signal(Shutdown.KILLED, alive());
            await(this::isEmpty, IMMEDIATE_LIMIT);
        }
    }

    /** Stops one postmaster: fast, then immediate, then killed; returns when it has ended. */
    static void stop(ProcessHandle postmaster) {
        signal(Shutdown.FAST, List.of(postmaster));
        if (await(() -> !postmaster.isAlive(), FAST_LIMIT)) {
            return;
        }
        LOG.warnf(
                "server did not stop in time, ending it at once pid=%d seconds=%d",
                postmaster.pid(), FAST_LIMIT.toSeconds());
        signal(Shutdown.IMMEDIATE, List.of(postmaster));
        if (!await(() -> !postmaster.isAlive(), IMMEDIATE_LIMIT)) {
            signal(Shutdown.KILLED, List.of(postmaster));
            await(() -> !postmaster.isAlive(), IMMEDIATE_LIMIT);
        }
    }

    /**
     * A server does not start while the process exists that {@code postmaster.pid} names. A dead one exists until its
     * parent has asked for its exit status, which the first process of a container may never do; and its number may
     * belong to another program by now.
     */
    private void forget(long pid) {
        if (isEmpty() && !mayBeServer(pid)) {
            try {
                Files.deleteIfExists(dataFolder.resolve(PostmasterFile.NAME));
            } catch (IOException failed) {
                LOG.warnf("can't remove a dead server's file folder=%s reason=%s", dataFolder, failed.getMessage());
            }
        }
    }

    /** A process that ends has let go of its program, with all its memory, before anything else; see proc(5). */
    private static boolean mayBeServer(long pid) {
        try {
            Path program = Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "exe"));
            return program.getFileName().toString().startsWith("postgres");
        } catch (NoSuchFileException ended) {
            return false;
        } catch (IOException hidden) {
            return true;
        }
    }

    private boolean isEmpty() {
        return alive().isEmpty();
    }

    private Optional<ProcessHandle> postmaster(List<ProcessHandle> processes) {
        return PostmasterFile.read(dataFolder)
                .flatMap(file -> processes.stream()
                        .filter(process -> process.pid() == file.pid())
                        .findFirst());
    }

    /** The JVM can only send TERM and KILL itself; the shell's own {@code kill} is there on every system. */
    private static void signal(Shutdown how, List<ProcessHandle> processes) {
        if (processes.isEmpty()) {
            return;
        }
        List<String> words = new ArrayList<>(List.of("sh", "-c", "kill -s \"$0\" \"$@\"", how.signal));
        processes.forEach(process -> words.add(Long.toString(process.pid())));
        Command.run(words, IMMEDIATE_LIMIT);
    }

    private static Optional<Path> link(ProcessHandle process, String name) {
        try {
            return Optional.of(Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), name)));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    private static boolean await(BooleanSupplier condition, Duration limit) {
        Instant end = Instant.now().plus(limit);
        while (!condition.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                return false;
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                return condition.getAsBoolean();
            }
        }
        return true;
    }
}
