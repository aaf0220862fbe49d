package dev.tenantry.proxy.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Expected;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.ReplyLedger;
import dev.tenantry.wire.BackendType;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Portals end with their transaction, however many messages are under way. */
class PortalsTest {
    private final Portals portals = new Portals();
    private final ReplyLedger ledger = new ReplyLedger();
    private final Prepared statement = Prepared.ofParse("s", new byte[] {'P', 0, 0, 0, 8, 's', 0, 0, 0, 0}, 7, 0, null);

    @Test
    void forgetsPortalsOfClientThatAlwaysPipelines() {
        batch("p0");
        for (int i = 1; i <= 1_000; i++) {
            batch("p" + i);
            answer();
            assertThat(portals.get("p" + (i - 1))).isNull();
            assertThat(portals.get("p" + i)).isNotNull();
            assertThat(portals.size()).isEqualTo(1);
        }
    }

    @Test
    void keepsPortalsBoundBehindTheEndOfTheTransaction() {
        batch("a");
        batch("");
        batch("a");
        answer();
        assertThat(portals.get("a")).isNotNull();
        assertThat(portals.get("")).isNotNull();
        answer();
        assertThat(portals.get("")).isNull();
        assertThat(portals.get("a")).isNotNull();
        answer();
        assertThat(portals.size()).isZero();
    }

    @Test
    void keepsPortalsWhileTheirBlockGoesOn() {
        batch("a");
        ledger.next(BackendType.BIND_COMPLETE);
        ledger.next(BackendType.COMMAND_COMPLETE);
        ledger.next(BackendType.READY_FOR_QUERY); // in a block, so nothing is told to the portals
        batch("b");
        assertThat(portals.size()).isEqualTo(2);
        answer();
        assertThat(portals.size()).isZero();
    }

    @Test
    void bindsANameAnew() {
        portals.bind("a", statement, BoundParameters.NONE, 1);
        Objects.requireNonNull(portals.get("a")).run();
        portals.bind("b", statement, BoundParameters.NONE, 2);
        portals.bind("a", statement, BoundParameters.NONE, 3);
        assertThat(Objects.requireNonNull(portals.get("a")).isDone()).isFalse();
        portals.transactionEnded(2);
        assertThat(portals.get("a")).isNotNull();
        assertThat(portals.get("b")).isNull();
    }

    private void batch(String portal) {
        portals.bind(portal, statement, BoundParameters.NONE, ledger.noted() + 1);
        ledger.expect(Expected.BIND, false, null);
        ledger.expect(Expected.EXECUTE, false, null);
        ledger.expect(Expected.SYNC, false, null);
    }

    private void answer() {
        ledger.next(BackendType.BIND_COMPLETE);
        ledger.next(BackendType.COMMAND_COMPLETE);
        ledger.next(BackendType.READY_FOR_QUERY);
        portals.transactionEnded(ledger.settled());
    }
}
