package dev.tenantry.check;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Clients and disturbances, each on a thread of its own, until a moment. */
final class Crew {
    private static final Duration POLL = Duration.ofMillis(20);

    private final Instant end;
    private final List<Task> tasks = new ArrayList<>();

    /** What runs on a thread. */
    @FunctionalInterface
    interface Task {

        /** To its end. */
        void run() throws IOException, InterruptedException;
    }

    /** One that works until then. */
    Crew(Instant end) {
        this.end = end;
    }

    /** A client, which looks itself whether it is time to end. */
    void add(Task client) {
        tasks.add(client);
    }

    /** What happens beside the clients. */
    void disturb(Disturbance disturbance) {
        tasks.add(() -> {
            while (!isOver()) {
                disturbance.once();
            }
        });
    }

    /** Whether it is time to end. */
    boolean isOver() {
        return Instant.now().isAfter(end);
    }

    /**
     * Has all work, and returns when all have ended; the first failure ends the others.
     *
     * @throws CheckFailedException if a client has found something
     * @throws IOException if the cluster could not be reached where it must be
     */
    void work() throws IOException, InterruptedException {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> work = new ArrayList<>();
            for (Task task : tasks) {
                work.add(threads.submit(() -> {
                    task.run();
                    return task;
                }));
            }
            awaitAll(work);
        }
    }

    private static void awaitAll(List<Future<?>> work) throws IOException, InterruptedException {
        try {
            boolean done = false;
            while (!done) {
                done = work.stream().allMatch(Future::isDone);
                for (Future<?> one : work) {
                    if (one.isDone()) {
                        one.get();
                    }
                }
                Thread.sleep(POLL);
            }
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case CheckFailedException found -> throw found;
                case IOException unreachable -> throw unreachable;
                case null, default -> throw new IllegalStateException(failed.getCause());
            }
        } finally {
            work.forEach(one -> one.cancel(true));
        }
    }
}
