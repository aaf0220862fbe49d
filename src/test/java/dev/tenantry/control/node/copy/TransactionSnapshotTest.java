package dev.tenantry.control.node.copy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransactionSnapshotTest {

    @Test
    void readsPostgresText() {
        assertThat(TransactionSnapshot.parse("10:20:10,14,15"))
                .isEqualTo(new TransactionSnapshot(10, 20, Set.of(10L, 14L, 15L)));
        assertThat(TransactionSnapshot.parse("10:10:")).isEqualTo(new TransactionSnapshot(10, 10, Set.of()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // The same, or later than, what the slot has seen.
                "10:20:10,14|10:20:10,14|false",
                "10:20:10,14|10:25:10,14,20,21|false",
                "10:20:10,14|25:25:|false",
                // 12 is committed for the slot; the server says that it runs.
                "10:20:10,14|10:20:10,12,14|true",
                "10:20:10,14|12:20:12|true",
                // No later one has ended, so the server does not name those that run from its xmax on.
                "10:20:10,14|10:19:10,14|true",
                "10:20:10,14,18,19|10:18:10,14|false",
                "10:20:10,14,19|10:18:10,14|true",
                "10:20:10,14|10:12:10|true",
                // Nothing had a number when the slot was made.
                "10:10:|10:10:|false",
                "10:10:|10:11:10|false",
            })
    void seesWhetherTheServerKnowsOfAllThatEnded(String exported, String now, boolean ahead) {
        assertThat(TransactionSnapshot.parse(exported).isAheadOf(TransactionSnapshot.parse(now)))
                .isEqualTo(ahead);
    }
}
