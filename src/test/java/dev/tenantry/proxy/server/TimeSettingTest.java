package dev.tenantry.proxy.server;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Times as servers take them; what they show for each is in the second column. */
class TimeSettingTest {

    @ParameterizedTest
    @CsvSource({
        "5000,5000", "5s,5000", "'5 s',5000", "' 1min ',60000", "1.5s,1500", "0.5,1", "1e3,1000", "2h,7200000",
        "1d,86400000", "2500us,3", "0x10,16", "010,8", "+7,7", ".5s,500", "0,0", "0s,0"
    })
    void readsWhatAServerAccepts(String text, long millis) {
        assertThat(TimeSetting.millis(text)).isEqualTo(millis);
    }

    @ParameterizedTest
    @CsvSource({"''", "x", "5x", "-1", "1 2", "0x", "."})
    void takesAnythingElseForNone(String text) {
        assertThat(TimeSetting.millis(text)).isZero();
    }

    @Test
    void takesAnUnknownValueForNone() {
        assertThat(TimeSetting.millis(null)).isZero();
    }
}
