package dev.tenantry.embedded;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A program that runs to its end, and what it said. */
record Command(int exitCode, String output) {

    /** Exit code of a program that did not end in time and was killed. */
    static final int TIMED_OUT = -1;

    /** Exit code of a program that could not be started, because it is not there for example. */
    static final int NOT_STARTED = -2;

    boolean succeeded() {
        return exitCode == 0;
    }

    /** Runs a program with nothing on its standard input; output and errors come back as one text. */
    static Command run(List<String> words, Duration limit) {
        return run(words, "", limit);
    }

    /** Runs a program that reads {@code input}; output and errors come back as one text. */
    static Command run(List<String> words, String input, Duration limit) {
        ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
        withoutPostgresVariables(builder);
        try {
            return finish(builder.start(), input, limit);
        } catch (IOException missing) {
            return new Command(NOT_STARTED, String.valueOf(missing.getMessage()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return new Command(TIMED_OUT, "interrupted");
        }
    }

    private static Command finish(Process process, String input, Duration limit) throws InterruptedException {
        CompletableFuture<String> output =
                CompletableFuture.supplyAsync(() -> read(process), Thread::startVirtualThread);
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException closedEarly) {
            // The program ended without reading all of it; its exit code and output tell why.
        }
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            return new Command(TIMED_OUT, "no answer within " + limit.toSeconds() + " s");
        }
        return new Command(process.exitValue(), output.join().strip());
    }

    /** What a shell has set for PostgreSQL's own clients (PGPORT, PGDATA ...) must not steer our servers. */
    static void withoutPostgresVariables(ProcessBuilder builder) {
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
    }

    private static String read(Process process) {
        try {
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException closed) {
            return "";
        }
    }
}
