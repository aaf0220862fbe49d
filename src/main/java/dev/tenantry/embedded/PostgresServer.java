package dev.tenantry.embedded;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One real PostgreSQL server on loopback, as child processes of ours. While it is started a watcher starts it again
 * when it dies, on the same port. {@link #start} and {@link #close} are called by one thread at a time; the rest may be
 * read from any.
 */
public final class PostgresServer implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(PostgresServer.class);
    private static final Duration START_LIMIT = Duration.ofMinutes(10);
    private static final Duration START_REPORT = Duration.ofSeconds(10);
    private static final Duration STOP_LIMIT = Duration.ofMinutes(1);
    private static final long POLL_MILLIS = 5;
    private static final int PORT_TRIES = 10;
    private static final Duration MEMORY_PAUSE = Duration.ofMillis(100);
    private static final long RESTART_PAUSE_MILLIS_MAX = 5_000;
    private static final long LOG_BYTES_MAX = 64L << 20;
    private static final int LOG_TAIL_CHARACTERS = 2_000;

    private sealed interface Launch {
        record Ready(Process process) implements Launch {}

        record PortTaken() implements Launch {}

        /** A process of the last server has been killed, but the kernel has not taken its memory back yet. */
        record MemoryTaken() implements Launch {}

        record Died(String reason) implements Launch {}
    }

    private final ServerSettings settings;
    private final Launcher launcher;
    private final ServerProcesses processes;
    private volatile int port;
    private volatile boolean stopping;
    private volatile @Nullable Process process;
    private volatile @Nullable Thread watcher;

    /** A server that is not started yet. */
    public PostgresServer(ServerSettings settings) {
        this(settings, Launcher.detect());
    }

    PostgresServer(ServerSettings settings, Launcher launcher) {
        this.settings = settings;
        this.launcher = launcher;
        this.processes = new ServerProcesses(settings.dataFolder());
    }

    /** What people call it. */
    public String name() {
        return settings.name();
    }

    /** Where it listens: always loopback. */
    public String host() {
        return "127.0.0.1";
    }

    /** Where it listens, once it has been started. */
    public int port() {
        return port;
    }

    /** The postmaster's process, while there is one. */
    public Optional<ProcessHandle> postmaster() {
        return Optional.ofNullable(process).filter(Process::isAlive).map(Process::toHandle);
    }

    /** Makes the data folder if need be, and in it the control plane's role; while the server does not run. */
    void prepare(ControlRole role) {
        processes.stopAll();
        DataFolder folder = new DataFolder(settings, launcher);
        folder.prepare();
        folder.ensureControlRole(role);
    }

    /**
     * Makes the data folder if need be, stops what an earlier run has left in it, starts the server and waits until it
     * takes connections.
     *
     * @param preferred the port to take if it is free; another one is taken if not
     */
    public void start(OptionalInt preferred) {
        stopping = false;
        processes.stopAll();
        new DataFolder(settings, launcher).prepare();
        int candidate =
                preferred.isPresent() && FreePort.isFree(preferred.getAsInt()) ? preferred.getAsInt() : FreePort.draw();
        for (int i = 0; i < PORT_TRIES; i++) {
            switch (launch(candidate)) {
                case Launch.Ready ready -> {
                    port = candidate;
                    process = ready.process();
                    watcher = Thread.ofVirtual().name("watch-" + name()).start(this::watch);
                    return;
                }
                case Launch.PortTaken taken -> candidate = FreePort.draw();
                case Launch.MemoryTaken taken -> LockSupport.parkNanos(MEMORY_PAUSE.toNanos());
                case Launch.Died died -> throw new EmbeddedException(name() + " did not start: " + died.reason());
            }
        }
        throw new EmbeddedException(name() + " found no free port, or no free memory, in " + PORT_TRIES + " tries");
    }

    /** Stops the server fast: sessions end, nothing committed is lost. Harmless when it does not run. */
    @Override
    public void close() {
        stopping = true;
        Process running = process;
        if (running != null) {
            ServerProcesses.stop(running.toHandle());
        }
        Thread watching = watcher;
        try {
            if (watching != null && !watching.join(STOP_LIMIT)) {
                LOG.warnf("server is still being started again, it may be left behind node=%s", name());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Kills the server and its children as a power cut would; it stays down until {@link #start}. For tests. */
    public void kill() {
        stopping = true;
        Process running = process;
        if (running != null) {
            running.destroyForcibly();
            processes.stopAll();
        }
    }

    private Launch launch(int candidate) {
        try {
            long logged = Files.exists(settings.logFile()) ? Files.size(settings.logFile()) : 0;
            Process started = spawn(candidate);
            if (awaitReady(started)) {
                return new Launch.Ready(started);
            }
            String said = logTail(logged);
            if (said.contains("pre-existing shared memory block")) {
                return new Launch.MemoryTaken();
            }
            return said.contains("Address already in use") || said.contains("could not create any TCP/IP sockets")
                    ? new Launch.PortTaken()
                    : new Launch.Died(said);
        } catch (IOException failed) {
            return new Launch.Died(String.valueOf(failed.getMessage()));
        }
    }

    private Process spawn(int candidate) throws IOException {
        List<String> words = new ArrayList<>(List.of(settings.binaries().postgres()));
        words.addAll(List.of("-D", settings.dataFolder().toString(), "-p", Integer.toString(candidate)));
        List<String> assignments = new ArrayList<>(
                List.of("listen_addresses=" + host(), "unix_socket_directories=", "logging_collector=off"));
        assignments.addAll(settings.durability().settings());
        assignments.forEach(assignment -> words.addAll(List.of("-c", assignment)));
        Files.createDirectories(settings.logFile().getParent());
        ProcessBuilder builder = new ProcessBuilder(launcher.detached(words))
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(settings.logFile().toFile()));
        Command.withoutPostgresVariables(builder);
        return builder.start();
    }

    private boolean awaitReady(Process started) {
        Instant begin = Instant.now();
        Instant report = begin.plus(START_REPORT);
        try {
            while (!started.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                Optional<PostmasterFile> file = PostmasterFile.read(settings.dataFolder());
                if (file.filter(it -> it.ready() && it.pid() == started.pid()).isPresent()) {
                    return true;
                }
                Instant now = Instant.now();
                if (stopping || now.isAfter(begin.plus(START_LIMIT))) {
                    ServerProcesses.stop(started.toHandle());
                    return false;
                }
                if (now.isAfter(report)) {
                    LOG.infof(
                            "server still starting node=%s seconds=%d",
                            name(), Duration.between(begin, now).toSeconds());
                    report = now.plus(START_REPORT);
                }
            }
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            ServerProcesses.stop(started.toHandle());
            return false;
        }
    }

    /** What the server wrote into its log since it had {@code from} bytes: the last complaint, else the last of it. */
    private String logTail(long from) throws IOException {
        byte[] all = Files.readAllBytes(settings.logFile());
        int begin = (int) Math.min(from, all.length);
        String text = new String(all, begin, all.length - begin, StandardCharsets.UTF_8).strip();
        String complaints = text.lines()
                .filter(line -> line.contains("FATAL:") || line.contains("PANIC:") || line.contains("Address already"))
                .reduce("", (one, two) -> one + "\n" + two)
                .strip();
        String told = complaints.isEmpty() ? text : complaints;
        return told.substring(Math.max(0, told.length() - LOG_TAIL_CHARACTERS)) + " (log: " + settings.logFile() + ")";
    }

    private void watch() {
        try {
            while (!stopping) {
                Process watched = process;
                if (watched == null || !watched.waitFor(1, TimeUnit.MINUTES)) {
                    limitLog();
                } else if (!stopping) {
                    LOG.warnf("server ended by itself, starting it again node=%s exit=%d", name(), watched.exitValue());
                    restart();
                }
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void restart() throws InterruptedException {
        long pauseMillis = 50;
        while (!stopping) {
            processes.stopAll();
            switch (launch(port)) {
                case Launch.Ready ready -> {
                    process = ready.process();
                    LOG.infof("server started again node=%s port=%d", name(), port);
                    if (stopping) {
                        ServerProcesses.stop(ready.process().toHandle());
                    }
                    return;
                }
                case Launch.PortTaken taken ->
                    LOG.warnf("server can't start again, its port is taken node=%s port=%d", name(), port);
                case Launch.MemoryTaken taken ->
                    LOG.infof("server can't start again yet, its memory is still in use node=%s", name());
                case Launch.Died died -> LOG.warnf("server can't start again node=%s reason=%s", name(), died.reason());
            }
            for (long slept = 0; slept < pauseMillis && !stopping; slept += POLL_MILLIS) {
                Thread.sleep(POLL_MILLIS);
            }
            pauseMillis = Math.min(pauseMillis * 2, RESTART_PAUSE_MILLIS_MAX);
        }
    }

    /** The server appends to its log, so cutting it is safe; one old part is kept. */
    private void limitLog() {
        Path log = settings.logFile();
        try {
            if (Files.exists(log) && Files.size(log) > LOG_BYTES_MAX) {
                Files.copy(log, log.resolveSibling(log.getFileName() + ".1"), StandardCopyOption.REPLACE_EXISTING);
                try (FileChannel channel = FileChannel.open(log, StandardOpenOption.WRITE)) {
                    channel.truncate(0);
                }
            }
        } catch (IOException failed) {
            LOG.warnf("can't cut a server's log node=%s reason=%s", name(), failed.getMessage());
        }
    }
}
