package dev.tenantry.control.move;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private final Backoff backoff = new Backoff(Duration.ofMillis(3), Duration.ofMillis(10));

    @Test
    void doublesUpToItsMaximum() {
        assertThat(next(4)).containsExactly(3L, 6L, 10L, 10L);
    }

    @Test
    void tellsWhenItGrowsNoMore() {
        assertThat(backoff.isLongest()).isFalse();
        next(2);
        assertThat(backoff.isLongest()).isTrue();
    }

    @Test
    void beginsAnew() {
        next(3);
        backoff.reset();
        assertThat(next(2)).containsExactly(3L, 6L);
    }

    private List<Long> next(int count) {
        return Stream.generate(backoff::next)
                .limit(count)
                .map(Duration::toMillis)
                .toList();
    }
}
