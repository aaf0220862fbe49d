package dev.tenantry.control.move;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class HeadwayTest {

    private final Headway headway = new Headway(Duration.ofNanos(100));

    @Test
    void isThereAsLongAsItBecomesLess() {
        for (int i = 0; i < 20; i++) {
            assertThat(headway.note(90L * i, 1_000_000L >> i)).isTrue();
        }
    }

    @Test
    void isLostWhenItStaysOrGrowsForTooLong() {
        assertThat(headway.note(0, 1_000)).isTrue();
        assertThat(headway.note(50, 5_000)).isTrue();
        assertThat(headway.note(100, 990)).isTrue();
        assertThat(headway.note(101, 950)).isFalse();
        assertThat(headway.least()).isEqualTo(1_000);
    }

    @Test
    void beginsAnew() {
        assertThat(headway.note(0, 10)).isTrue();
        headway.reset();
        assertThat(headway.note(1_000, 20)).isTrue();
        assertThat(headway.note(1_100, 20)).isTrue();
        assertThat(headway.note(1_101, 20)).isFalse();
    }
}
