package dev.tenantry.proxy.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.activity.ForeignCancels.Request;
import dev.tenantry.proxy.dispatch.ProxyMetrics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Cancel requests with keys of other proxies, two of which may have the same number. */
class CancelDeskTest {

    private static final byte[] SECRET = {1, 2, 3, 4};

    /** What a proxy has of its own. */
    private static final class Proxy {
        private final CancelKeys keys;
        private final CancelDesk desk;
        private final List<String> cancelled = new ArrayList<>();

        Proxy(String id) {
            keys = new CancelKeys(id);
            desk = new CancelDesk(id, keys, new ProxyMetrics(new SimpleMeterRegistry()));
            desk.onRequest(() -> {});
        }

        CancelKeys.Key issue(String session) {
            return keys.issue(0, () -> {
                cancelled.add(session);
                return CompletableFuture.completedFuture(null);
            });
        }
    }

    private final Proxy asked = new Proxy("0aa1");
    private final CompletableFuture<Void> requester = asked.desk.request(0xabc << 19 | 7, SECRET);
    private final Request request = asked.desk.requests().getFirst();

    @Test
    void letsTheRequesterGoWhenAllProxiesThatWereAskedHaveTold() {
        asked.desk.handedOn(request, 2);
        asked.desk.dealtWith(request.id());
        asked.desk.dealtWith(UUID.randomUUID());
        assertThat(requester).isNotDone(); // or what it runs next might be hit by the other
        asked.desk.dealtWith(request.id());
        assertThat(requester).isCompleted();
    }

    @Test
    void countsWhoTellsBeforeItIsKnownHowManyWereAsked() {
        asked.desk.dealtWith(request.id());
        assertThat(requester).isNotDone();
        asked.desk.handedOn(request, 1);
        assertThat(requester).isCompleted();
    }

    @Test
    void letsTheRequesterGoWhenNobodyWasAsked() {
        asked.desk.unknown(request);
        assertThat(requester).isCompleted();
        CompletableFuture<Void> late = asked.desk.request(0xabc << 19 | 8, SECRET);
        asked.desk.dropped(asked.desk.requests().getFirst());
        assertThat(late).isCompleted();
    }

    /** So many sessions that some of one proxy have the numbers of sessions of the other, and not their secrets. */
    @Test
    void cancelsOnlyTheSessionWhoseSecretItIsThoughProxiesHaveTheSameNumber() {
        Proxy one = new Proxy("abc1");
        Proxy twin = new Proxy("abc2");
        Map<Integer, CancelKeys.Key> keys = new HashMap<>();
        for (int i = 0; i < 4_000; i++) {
            CancelKeys.Key key = one.issue("one");
            keys.put(key.processId(), key);
        }
        int shared = 0;
        for (int i = 0; i < 4_000; i++) {
            CancelKeys.Key its = twin.issue("twin");
            CancelKeys.Key key = keys.get(its.processId());
            if (key != null) {
                shared++;
                one.desk.take(key.processId(), key.secret());
                twin.desk.take(key.processId(), key.secret());
            }
        }
        assertThat(shared).isPositive();
        assertThat(one.cancelled).hasSize(shared);
        assertThat(twin.cancelled).isEmpty();
    }
}
