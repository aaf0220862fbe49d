package dev.tenantry.support;

import java.time.Duration;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;

/** Waits for a condition and not for a time. */
public final class Eventually {

    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(20);

    private Eventually() {}

    /** Repeats assertions until they hold; fails with the last failure after 30 s. Exceptions count as failures. */
    public static void passes(ThrowingRunnable assertions) {
        passes(LIMIT, assertions);
    }

    /** The same for what may take longer, or must not take so long. */
    public static void passes(Duration limit, ThrowingRunnable assertions) {
        Awaitility.await()
                .atMost(limit)
                .pollInterval(POLL)
                .pollDelay(Duration.ZERO)
                .untilAsserted(() -> {
                    try {
                        assertions.run();
                    } catch (Exception failed) {
                        throw new AssertionError("threw " + failed, failed);
                    }
                });
    }

    /** Repeats a question until the answer is yes; fails after 30 s, saying what was waited for. */
    public static void holds(String what, Callable<Boolean> condition) {
        Awaitility.await(what)
                .atMost(LIMIT)
                .pollInterval(POLL)
                .pollDelay(Duration.ZERO)
                .ignoreExceptions()
                .until(condition);
    }
}
