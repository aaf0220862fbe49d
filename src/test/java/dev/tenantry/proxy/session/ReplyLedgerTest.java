package dev.tenantry.proxy.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.wire.BackendType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ReplyLedgerTest {
    private final ReplyLedger ledger = new ReplyLedger();

    @Test
    void forwardsASimpleQueryUpToReadyForQuery() {
        ledger.expect(Expected.QUERY, false, null);
        assertThat(all("TDDCZ")).containsOnly(true);
        assertThat(ledger.isEmpty()).isTrue();
    }

    @Test
    void swallowsWhatTheClientDidNotAskFor() {
        ledger.expect(Expected.QUERY, true, null);
        ledger.expect(Expected.PARSE, true, null);
        ledger.expect(Expected.BIND, false, null);
        assertThat(all("CZ12")).containsExactly(false, false, false, true);
    }

    @Test
    void keepsOneBatchApartFromTheNext() {
        for (int i = 0; i < 40; i++) {
            ledger.expect(Expected.PARSE, false, null);
            ledger.expect(Expected.BIND, false, null);
            ledger.expect(Expected.DESCRIBE, false, null);
            ledger.expect(Expected.EXECUTE, false, null);
            ledger.expect(Expected.SYNC, false, null);
        }
        for (int i = 0; i < 40; i++) {
            assertThat(all("12TDDCZ")).containsOnly(true);
        }
        assertThat(ledger.isEmpty()).isTrue();
    }

    @Test
    void refusesAMessageThatNothingAskedFor() {
        assertThatThrownBy(() -> ledger.next(BackendType.COMMAND_COMPLETE)).isInstanceOf(IllegalStateException.class);
        ledger.expect(Expected.PARSE, false, null);
        assertThatThrownBy(() -> ledger.next(BackendType.READY_FOR_QUERY)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void takesNoStrayReadyForQueryForTheEndOfAQuery() {
        ledger.expect(Expected.QUERY, false, null);
        assertThat(ledger.isOwed(BackendType.READY_FOR_QUERY)).isFalse();
        assertThat(all("C")).containsExactly(true);
        assertThat(ledger.isOwed(BackendType.READY_FOR_QUERY)).isTrue();
        assertThat(all("Z")).containsExactly(true);
        ledger.expect(Expected.QUERY, false, null);
        assertThat(ledger.isOwed(BackendType.READY_FOR_QUERY)).isFalse();
    }

    @Test
    void givesOwnRepliesInTheirPlace() {
        ByteBuf own = Unpooled.buffer(1);
        ledger.expect(Expected.PARSE, false, null);
        ledger.makeUp(own);
        assertThat(ledger.takeMadeUp()).isNull();
        ledger.next(BackendType.PARSE_COMPLETE);
        assertThat(ledger.takeMadeUp()).isSameAs(own);
        own.release();
    }

    @Test
    void swallowsOnlyTheEndOfAPartOfAString() {
        ledger.expect(Expected.QUERY_PART, false, null);
        assertThat(all("TDCZ")).containsExactly(true, true, true, false);
    }

    @Nested
    class AfterAnError {
        @Test
        void owesNothingUpToSync() {
            ledger.expect(Expected.PARSE, false, null);
            ledger.expect(Expected.BIND, false, null);
            ledger.expect(Expected.EXECUTE, false, "effect");
            ByteBuf own = Unpooled.buffer(1);
            ledger.makeUp(own);
            ledger.expect(Expected.SYNC, false, null);
            assertThat(ledger.next(BackendType.ERROR_RESPONSE)).isTrue();
            assertThat(own.refCnt()).isZero();
            assertThat(ledger.hasEffectsPending()).isFalse();
            assertThat(ledger.next(BackendType.READY_FOR_QUERY)).isTrue();
            assertThat(ledger.takeFailed()).isTrue();
            assertThat(ledger.isEmpty()).isTrue();
        }

        @Test
        void ignoresWhatIsSentBeforeTheSyncThatIsStillToCome() {
            ledger.expect(Expected.PARSE, false, null);
            ledger.next(BackendType.ERROR_RESPONSE);
            assertThat(ledger.isSkipping()).isTrue();
            ledger.expect(Expected.BIND, false, null);
            ledger.expect(Expected.EXECUTE, false, "effect");
            assertThat(ledger.hasEffectsPending()).isFalse();
            ledger.expect(Expected.SYNC, false, null);
            assertThat(ledger.isSkipping()).isFalse();
            assertThat(all("Z")).containsExactly(true);
        }

        @Test
        void skipsNothingWhenTheQueryWasSimple() {
            ledger.expect(Expected.QUERY, false, null);
            ledger.expect(Expected.QUERY, false, null);
            assertThat(all("EZTDCZ")).containsOnly(true);
        }

        @Test
        void showsItEvenWhenTheReplyWasToBeSwallowed() {
            ledger.expect(Expected.PARSE, true, null);
            ledger.expect(Expected.SYNC, false, null);
            assertThat(all("EZ")).containsExactly(true, true);
        }
    }

    @Nested
    class Effects {
        @Test
        void areConfirmedByTheReplyOfTheirOwnStatement() {
            ledger.expect(Expected.EXECUTE, false, "first");
            ledger.expect(Expected.EXECUTE, false, "second");
            ledger.expect(Expected.SYNC, false, null);
            ledger.next(BackendType.COMMAND_COMPLETE);
            assertThat(ledger.takeConfirmed()).isEqualTo("first");
            assertThat(ledger.takeConfirmed()).isNull();
            assertThat(ledger.hasEffectsPending()).isTrue();
            ledger.next(BackendType.COMMAND_COMPLETE);
            assertThat(ledger.takeConfirmed()).isEqualTo("second");
            assertThat(ledger.hasEffectsPending()).isFalse();
        }

        @Test
        void ofAStringAreConfirmedOneByOne() {
            ledger.expect(Expected.QUERY, false, Arrays.asList("first", null, "third"));
            ledger.next(BackendType.COMMAND_COMPLETE);
            assertThat(ledger.takeConfirmed()).isEqualTo("first");
            ledger.next(BackendType.COMMAND_COMPLETE);
            assertThat(ledger.takeConfirmed()).isNull();
            ledger.next(BackendType.COMMAND_COMPLETE);
            assertThat(ledger.takeConfirmed()).isEqualTo("third");
            ledger.next(BackendType.READY_FOR_QUERY);
            assertThat(ledger.hasEffectsPending()).isFalse();
        }

        @Test
        void ofADescribeAreConfirmedByWhatItDescribes() {
            ledger.expect(Expected.PARSE, false, null);
            ledger.expect(Expected.DESCRIBE, true, "kept");
            ledger.expect(Expected.DESCRIBE, false, null);
            assertThat(ledger.hasEffectsPending()).as("waited for").isFalse();
            assertThat(all("1t")).containsExactly(true, false);
            assertThat(ledger.isResultWanted()).isTrue();
            assertThat(all("T")).containsExactly(false);
            assertThat(ledger.takeConfirmed()).isEqualTo("kept");
            assertThat(ledger.isResultWanted()).isFalse();
            assertThat(all("tn")).containsOnly(true);
        }

        @Test
        void ofAComparisonAreWaitedFor() {
            ledger.expect(Expected.COMPARE, true, "compared");
            assertThat(ledger.hasEffectsPending()).isTrue();
            assertThat(all("tn")).containsOnly(false);
            assertThat(ledger.takeConfirmed()).isEqualTo("compared");
            assertThat(ledger.hasEffectsPending()).isFalse();
            ledger.expect(Expected.COMPARE, true, "compared");
            ledger.expect(Expected.SYNC, false, null);
            assertThat(all("EZ")).containsOnly(true);
            assertThat(ledger.hasEffectsPending()).isFalse();
        }

        @Test
        void areNotConfirmedByAnError() {
            ledger.expect(Expected.QUERY, false, "effect");
            ledger.next(BackendType.ERROR_RESPONSE);
            assertThat(ledger.takeConfirmed()).isNull();
            ledger.next(BackendType.READY_FOR_QUERY);
            assertThat(ledger.hasEffectsPending()).isFalse();
        }
    }

    @Test
    void tellsWhatIsStillOwedWhenANodeIsLost() {
        ledger.expect(Expected.QUERY, true, null);
        ledger.expect(Expected.PARSE, false, null);
        ledger.expect(Expected.SYNC, false, null);
        ledger.expect(Expected.PARSE, false, null);
        assertThat(ledger.takeEnds()).containsExactly(Expected.SYNC);
        assertThat(ledger.isBatchOpen()).isTrue();
    }

    @Test
    void keepsOwnRepliesThatDoNotBelongToALostBatch() {
        ByteBuf lost = Unpooled.buffer(1);
        ByteBuf kept = Unpooled.buffer(1);
        ledger.expect(Expected.PARSE, false, null);
        ledger.makeUp(lost);
        ledger.expect(Expected.SYNC, false, null);
        ledger.makeUp(kept);
        assertThat(ledger.takeEnds()).containsExactly(Expected.SYNC, kept);
        assertThat(ledger.isBatchOpen()).isFalse();
        ledger.clear();
        assertThat(lost.refCnt()).isZero();
        assertThat(kept.refCnt()).isOne();
        kept.release();
    }

    @Test
    void leavesABatchOpenThatOnlyOurOwnSyncHasEnded() {
        ledger.expect(Expected.PARSE, false, null);
        ledger.expect(Expected.SYNC, true, null);
        assertThat(ledger.takeEnds()).isEmpty();
        assertThat(ledger.isBatchOpen()).isTrue();
    }

    private List<Boolean> all(String types) {
        return types.chars().mapToObj(type -> ledger.next((byte) type)).toList();
    }
}
