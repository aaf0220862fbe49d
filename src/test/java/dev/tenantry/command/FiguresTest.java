package dev.tenantry.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FiguresTest {

    @Test
    void saysSizesAsPgSizePrettyDoes() {
        assertThat(Figures.size(0)).isEqualTo("0 bytes");
        assertThat(Figures.size(1)).isEqualTo("1 byte");
        assertThat(Figures.size(10_239)).isEqualTo("10239 bytes");
        assertThat(Figures.size(10_240)).isEqualTo("10 kB");
        assertThat(Figures.size(577L << 20)).isEqualTo("577 MB");
        assertThat(Figures.size(20L << 40)).isEqualTo("20 TB");
        assertThat(Figures.size(Long.MAX_VALUE)).endsWith(" TB");
    }

    @Test
    void saysTimesAsPeopleDo() {
        assertThat(Figures.seconds(0.04)).isEqualTo("0.0 s");
        assertThat(Figures.seconds(9.94)).isEqualTo("9.9 s");
        assertThat(Figures.seconds(119)).isEqualTo("119 s");
        assertThat(Figures.seconds(150)).isEqualTo("2 min 30 s");
        assertThat(Figures.seconds(7_260)).isEqualTo("2 h 1 min");
    }

    @Test
    void neverShowsMoreThanAllOrLessThanNothing() {
        assertThat(Figures.percent(5, 0)).isZero();
        assertThat(Figures.percent(1, 3)).isEqualTo(33);
        assertThat(Figures.percent(5, 3)).isEqualTo(100);
        assertThat(Figures.percent(Long.MAX_VALUE, Long.MAX_VALUE)).isEqualTo(100);
        assertThat(Figures.bar(0)).isEqualTo("[------------------------]");
        assertThat(Figures.bar(50)).isEqualTo("[############------------]");
        assertThat(Figures.bar(100)).isEqualTo("[########################]");
    }

    @Test
    void putsNumbersToTheRight() {
        assertThat(Figures.table(
                        List.of("name", "rows", "note"), List.of(List.of("a", "5", "x"), List.of("bcdef", "1000", ""))))
                .containsExactly("name   rows  note", "a         5  x", "bcdef  1000");
    }
}
