package dev.tenantry.control.move;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PaceTest {

    private final Pace pace = new Pace();

    private void at(double seconds, long rest) {
        pace.note((long) (seconds * 1e9), rest);
    }

    @Test
    void tellsHowLongTheRestTakes() {
        at(100, 1_000);
        at(101, 900);
        at(102, 800);
        assertThat(pace.left()).contains(Duration.ofSeconds(8));
    }

    @Test
    void goesByTheLastSecondsOnly() {
        at(0, 1_000_000);
        for (int second = 100; second <= 115; second++) {
            at(second, 1_000 - second);
        }
        assertThat(pace.left()).contains(Duration.ofSeconds(885));
    }

    @Test
    void saysNothingOfWhatDoesNotBecomeLess() {
        assertThat(pace.left()).isEmpty();
        at(1, 10);
        assertThat(pace.left()).isEmpty();
        at(2, 10);
        assertThat(pace.left()).isEmpty();
        at(3, 20);
        assertThat(pace.left()).isEmpty();
    }

    @Test
    void saysNothingTooEarly() {
        at(1, 1_000);
        at(1.4, 10);
        assertThat(pace.left()).isEmpty();
        at(1.5, 500);
        assertThat(pace.left()).contains(Duration.ofMillis(500));
    }
}
