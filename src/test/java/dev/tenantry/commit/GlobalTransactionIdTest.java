package dev.tenantry.commit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.tenantry.commit.RecoveryRule.Action;
import dev.tenantry.commit.RecoveryRule.Decision;
import dev.tenantry.commit.RecoveryRule.Keeper;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GlobalTransactionIdTest {

    private static final GlobalTransactionId ID = new GlobalTransactionId("c1", "p0", 42, 7, 99);
    private static final long MOST = 999_999_999_999_999_999L;

    @Test
    void readsWhatItWrites() {
        assertThat(ID).hasToString("tenantry_c1_p0_42_7_99");
        assertThat(GlobalTransactionId.parse(ID.toString())).contains(ID);
        GlobalTransactionId longest = new GlobalTransactionId("c".repeat(39), "p".repeat(100), MOST, 999_999_999, MOST);
        assertThat(longest.toString().length()).isLessThanOrEqualTo(GlobalTransactionId.BYTES_MAX);
        assertThat(GlobalTransactionId.parse(longest.toString())).contains(longest);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "citus_0_1_2_3",
                "tenantry_c1_p0_42",
                "tenantry_c1_p0_42_7",
                "tenantry_c1_p0_42_7_8_9",
                "tenantry_C1_p0_42_7_99",
                "tenantry_c1_p0_042_7_99",
                "tenantry_c1_p0_42_7_099",
                "tenantry_c1_p0_99999999999999999999_7_99",
                "tenantry_c1_p0_42_7_99 "
            })
    void leavesTheTransactionsOfOthersAlone(String gid) {
        assertThat(GlobalTransactionId.parse(gid)).isEmpty();
    }

    @Test
    void refusesPartsThatCouldNotBeReadBack() {
        assertThatIllegalArgumentException().isThrownBy(() -> new GlobalTransactionId("a_b", "p", 1, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new GlobalTransactionId("c", "", 1, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new GlobalTransactionId("c", "p", -1, 1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new GlobalTransactionId("c".repeat(140), "p", 1, 1, 1));
    }

    @Test
    void givesNoNameTwice() {
        GlobalTransactionIds ids = new GlobalTransactionIds("p0");
        assertThat(ids.next("c1", 7, 99)).isEqualTo("tenantry_c1_p0_1_7_99");
        assertThat(ids.next("c1", 7, 99)).isEqualTo("tenantry_c1_p0_2_7_99");
    }

    @Test
    void recoveryLooksAfterTransactionsOfItsOwnCluster() {
        String gid = ID.toString();
        assertThat(RecoveryRule.concerned(gid, "c1")).contains(ID);
        assertThat(RecoveryRule.concerned(gid, "c2")).isEmpty();
        assertThat(RecoveryRule.concerned("other", "c1")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"ALIVE, 4999, false", "ALIVE, 5000, true", "GONE, 999, false", "GONE, 1000, true", "CUT_OFF, 0, true"})
    void recoverySparesAProxyThatMayStillFinish(Keeper keeper, long ageMillis, boolean due) {
        Duration ageMin = Duration.ofSeconds(5);
        assertThat(RecoveryRule.isDue(Duration.ofMillis(ageMillis), keeper, ageMin))
                .isEqualTo(due);
        assertThat(RecoveryRule.isDue(Duration.ZERO, keeper, Duration.ZERO)).isTrue();
    }

    @Test
    void recoveryDoesWhatTheDeciderDecided() {
        assertThat(RecoveryRule.action(Decision.COMMITTED)).isEqualTo(Action.COMMIT_PREPARED);
        assertThat(RecoveryRule.action(Decision.ABORTED)).isEqualTo(Action.ROLLBACK_PREPARED);
        assertThat(RecoveryRule.action(Decision.UNKNOWN)).isEqualTo(Action.LEAVE);
    }
}
