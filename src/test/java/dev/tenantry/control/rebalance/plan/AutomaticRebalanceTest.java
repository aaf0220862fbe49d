package dev.tenantry.control.rebalance.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AutomaticRebalanceTest {

    private static final Instant NOON = Instant.parse("2026-05-01T12:00:00Z");
    private static final List<NodeForecast> UNEVEN = List.of(node(1, 1, 14), node(2, 1, 6));
    private static final List<NodeForecast> SLIGHTLY_UNEVEN = List.of(node(1, 1, 12), node(2, 1, 8));

    private final AutomaticRebalance automatic = new AutomaticRebalance(new AutomaticRebalance.Limits(
            TimeWindow.parse("10:00-14:00", "UTC"), 0.3, Duration.ofMinutes(10), Duration.ofHours(1)));

    @ParameterizedTest
    @CsvSource({
        "10:00-14:00, UTC, true",
        "12:00-13:00, UTC, true",
        "11:00-12:00, UTC, false",
        "22:00-05:00, UTC, false",
        "22:00-12:01, UTC, true",
        "00:00-00:00, UTC, true",
        "22:00-23:00, Asia/Vladivostok, true",
    })
    void windowsAreOpenFromTheirBeginToTheirEnd(String window, String zone, boolean open) {
        assertThat(TimeWindow.parse(window, zone).contains(NOON)).isEqualTo(open);
    }

    @ParameterizedTest
    @CsvSource({"10:00, UTC", "10-12, UTC", "25:00-26:00, UTC", "10:00-11:00-12:00, UTC", "10:00-11:00, Nowhere"})
    void saysWhatIsNoWindow(String window, String zone) {
        assertThatThrownBy(() -> TimeWindow.parse(window, zone))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(window);
    }

    @Test
    void beginsInItsWindowAndNotSoonAfterTheLast() {
        assertThat(automatic.mayBegin(NOON, Optional.empty())).isTrue();
        assertThat(automatic.mayBegin(NOON, Optional.of(NOON.minusSeconds(3599))))
                .isFalse();
        assertThat(automatic.mayBegin(NOON, Optional.of(NOON.minusSeconds(3600))))
                .isTrue();
        assertThat(automatic.mayBegin(NOON.plus(Duration.ofHours(2)), Optional.empty()))
                .isFalse();
        assertThat(automatic.mayGoOn(NOON)).isTrue();
        assertThat(automatic.mayGoOn(NOON.plus(Duration.ofHours(2)))).isFalse();
    }

    @Test
    void isDueWhenNodesHaveBeenUnevenForAWhile() {
        assertThat(automatic.isDue(NOON, UNEVEN)).isFalse();
        assertThat(automatic.isDue(NOON.plusSeconds(599), UNEVEN)).isFalse();
        assertThat(automatic.isDue(NOON.plusSeconds(600), UNEVEN)).isTrue();
    }

    @Test
    void waitsAnewWhenNodesHaveBeenEvenMeanwhile() {
        assertThat(automatic.isDue(NOON, UNEVEN)).isFalse();
        assertThat(automatic.isDue(NOON.plusSeconds(300), SLIGHTLY_UNEVEN)).isFalse();
        assertThat(automatic.isDue(NOON.plusSeconds(600), UNEVEN)).isFalse();
        assertThat(automatic.isDue(NOON.plusSeconds(1200), UNEVEN)).isTrue();
    }

    @Test
    void waitsAnewInTheNextWindow() {
        Instant evening = NOON.plus(Duration.ofHours(3));
        Instant tomorrow = NOON.plus(Duration.ofDays(1));
        assertThat(automatic.isDue(NOON, UNEVEN)).isFalse();
        assertThat(automatic.mayBegin(evening, Optional.empty())).isFalse();
        assertThat(automatic.mayBegin(tomorrow, Optional.empty())).isTrue();
        assertThat(automatic.isDue(tomorrow, UNEVEN)).isFalse();
        assertThat(automatic.isDue(tomorrow.plusSeconds(600), UNEVEN)).isTrue();
        automatic.forget();
        assertThat(automatic.isDue(tomorrow.plusSeconds(601), UNEVEN)).isFalse();
    }

    @Test
    void imbalanceIsTheGreatestDistanceFromTheAverageByCapacity() {
        assertThat(AutomaticRebalance.imbalance(UNEVEN)).isEqualTo(0.4);
        assertThat(AutomaticRebalance.imbalance(List.of(node(1, 3, 15), node(2, 1, 5), node(3, 0, 100))))
                .isZero();
        assertThat(AutomaticRebalance.imbalance(List.of(node(1, 1, 10), node(2, 1, 10), node(3, 1, 0))))
                .isEqualTo(1);
        assertThat(AutomaticRebalance.imbalance(List.of(node(1, 1, 0)))).isZero();
        assertThat(AutomaticRebalance.imbalance(List.of())).isZero();
    }

    private static NodeForecast node(int id, double capacity, double cost) {
        NodeForecast.Load load = new NodeForecast.Load(1, 0, cost);
        return new NodeForecast(new PlanNode(id, capacity), load, load);
    }
}
