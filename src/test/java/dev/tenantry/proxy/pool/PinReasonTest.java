package dev.tenantry.proxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PinReasonTest {

    @Test
    void readsItsOwnWords() {
        String all = Arrays.stream(PinReason.values()).map(PinReason::text).collect(Collectors.joining(","));
        assertThat(PinReason.listed(all)).containsExactly(PinReason.values());
        assertThat(PinReason.listed("LISTEN,settings")).containsExactly(PinReason.LISTEN, PinReason.SETTINGS);
        assertThat(PinReason.listed("")).isEmpty();
        assertThat(PinReason.listed("something else")).isEmpty();
    }
}
