package dev.tenantry.control.background;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.support.Eventually;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BackgroundLoopTest {
    private static final Duration NEVER = Duration.ofDays(1);

    private final AtomicInteger times = new AtomicInteger();
    private final AtomicBoolean ended = new AtomicBoolean();

    @Test
    void doesTheWorkAgainAfterAPause() {
        try (BackgroundLoop loop = started(Duration.ofMillis(1), it -> times.incrementAndGet())) {
            Eventually.passes(() -> assertThat(times).hasValueGreaterThan(3));
            assertThat(loop.isClosed()).isFalse();
        }
    }

    @Test
    void beginsAfreshWhenTheWorkHasFailed() {
        try (BackgroundLoop loop = started(Duration.ofMillis(1), it -> {
            switch (times.incrementAndGet()) {
                case 1 -> throw new CatalogUnavailableException("away", new IllegalStateException());
                case 2 -> throw new IllegalStateException("ours");
                default -> ended.set(true);
            }
        })) {
            Eventually.passes(() -> assertThat(ended).isTrue());
            assertThat(loop.isClosed()).isFalse();
        }
    }

    @Test
    void doesTheWorkAtOnceWhenWoken() {
        try (BackgroundLoop loop = started(NEVER, it -> times.incrementAndGet())) {
            Eventually.passes(() -> assertThat(times).hasValue(1));
            loop.wake();
            Eventually.passes(() -> assertThat(times).hasValue(2));
        }
    }

    @Test
    void interruptsTheWorkWhenClosed() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        BackgroundLoop loop = started(NEVER, it -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                ended.set(true);
            }
        });
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        loop.close();
        assertThat(ended).isTrue();
    }

    @Test
    void letsTheWorkComeToItsEndWhenClosedGently() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        BackgroundLoop loop = started(NEVER, it -> {
            begun.countDown();
            while (!it.isClosed()) {
                it.pause(NEVER);
            }
            ended.set(true);
        });
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
        loop.closeGently();
        assertThat(ended).isTrue();
    }

    @Test
    void doesWhatComesLastWhenClosed() {
        BackgroundLoop loop = new BackgroundLoop("test", NEVER, it -> times.incrementAndGet(), () -> ended.set(true));
        loop.start();
        Eventually.passes(() -> assertThat(times).hasValue(1));
        assertThat(ended).isFalse();
        loop.close();
        assertThat(ended).isTrue();
    }

    @Test
    void canBeClosedWithoutHavingBeenStarted() {
        BackgroundLoop loop = new BackgroundLoop("test", NEVER, it -> times.incrementAndGet());
        loop.close();
        loop.closeGently();
        assertThat(times).hasValue(0);
    }

    private static BackgroundLoop started(Duration pause, BackgroundLoop.Work work) {
        BackgroundLoop loop = new BackgroundLoop("test", pause, work);
        loop.start();
        return loop;
    }
}
