package dev.tenantry.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code ./tenantry up} as a process of its own, as a person starts it. */
public final class UpProcess implements AutoCloseable {

    private static final long READY_SECONDS = 90;
    private static final long STOP_SECONDS = 60;
    private static final String END = "(end of output)";
    private static final Pattern READY =
            Pattern.compile("ready: postgresql://([^:@]+)(?::([^@]*))?@([^:]+):(\\d+)/(\\S+)");

    private final Process process;
    private final Path errors;
    private final List<String> output = new ArrayList<>();
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    private UpProcess(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        Thread.ofVirtual().start(this::readOutput);
    }

    /** Starts it with these options and does not wait. */
    public static UpProcess launch(String... options) {
        return launch(Map.of(), List.of(options));
    }

    /** Starts it with these options and these environment variables besides ours, and does not wait. */
    public static UpProcess launch(Map<String, String> environment, List<String> options) {
        try {
            Path errors = Files.createTempFile("tenantry-up-", ".log");
            List<String> words = new ArrayList<>(List.of("./tenantry", "up"));
            words.addAll(options);
            ProcessBuilder builder = new ProcessBuilder(words).redirectError(errors.toFile());
            builder.environment().put("TENANTRY_JAVA_OPTS", "-XX:TieredStopAtLevel=1"); // it does not run for long
            builder.environment().putAll(environment);
            return new UpProcess(builder.start(), errors);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Waits for the ready line; fails with what the process said instead. */
    public Ready awaitReady() throws InterruptedException {
        String line = lines.poll(READY_SECONDS, TimeUnit.SECONDS);
        Matcher ready = READY.matcher(line == null ? "" : line);
        if (!ready.matches()) {
            throw new IllegalStateException("no ready line but '" + line + "', and on standard error: " + errors());
        }
        return new Ready(
                ready.group(1),
                ready.group(2) == null ? "" : ready.group(2),
                ready.group(3),
                Integer.parseInt(ready.group(4)),
                ready.group(5));
    }

    /** The process itself. */
    public ProcessHandle handle() {
        return process.toHandle();
    }

    /** Sends SIGTERM and waits for the end. */
    public void stop() {
        process.destroy();
        awaitExit();
    }

    /** Sends SIGKILL and waits for the end. */
    public void kill() {
        process.destroyForcibly();
        awaitExit();
    }

    /** Waits for the end, 60 s at most; the exit code. */
    public int awaitExit() {
        return process.onExit().orTimeout(STOP_SECONDS, TimeUnit.SECONDS).join().exitValue();
    }

    /** Everything on standard output; complete once the process has ended. */
    public List<String> output() throws InterruptedException {
        String line = "";
        while (line != null && !line.equals(END)) {
            line = lines.poll(STOP_SECONDS, TimeUnit.SECONDS);
        }
        synchronized (output) {
            return List.copyOf(output);
        }
    }

    /** Everything on standard error so far. */
    public String errors() {
        try {
            return Files.readString(errors);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** The PostgreSQL processes that work in folders under this one. */
    public static List<ProcessHandle> serversUnder(Path folder) throws IOException {
        Path real = folder.toRealPath();
        return ProcessHandle.allProcesses()
                .filter(process -> worksUnder(process, real))
                .toList();
    }

    private static boolean worksUnder(ProcessHandle process, Path folder) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"))
                    .startsWith(folder);
        } catch (IOException gone) {
            return false;
        }
    }

    private void readOutput() {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (output) {
                    output.add(line);
                }
                lines.add(line);
            }
        } catch (IOException closed) {
            lines.add(END);
        }
        lines.add(END);
    }

    /** Ends it, kindly if it still runs. */
    @Override
    public void close() {
        if (process.isAlive()) {
            stop();
        }
        try {
            Files.deleteIfExists(errors);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** The parts of the ready line. */
    public record Ready(String role, String password, String host, int port, String database) {

        /** A connection by what the line says. */
        public Connection connect() throws SQLException {
            return DriverManager.getConnection(
                    "jdbc:postgresql://" + host + ":" + port + "/" + database + "?loginTimeout=20&socketTimeout=60",
                    role,
                    password);
        }
    }
}
