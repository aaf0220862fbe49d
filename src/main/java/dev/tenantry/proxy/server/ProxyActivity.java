package dev.tenantry.proxy.server;

import dev.tenantry.activity.ActivityReader;
import dev.tenantry.activity.SessionActivity;
import dev.tenantry.activity.Viewer;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Stream;

/** Asks each event loop what its sessions and connections do, and puts the answers together. Safe from any thread. */
final class ProxyActivity implements ActivityReader {
    private final Set<ClientConnection> connections;

    /** Of these, which change all the time. */
    ProxyActivity(Set<ClientConnection> connections) {
        this.connections = connections;
    }

    @Override
    public CompletableFuture<List<SessionActivity>> sessions(Viewer viewer) {
        return survey(LoopSurvey::sessions, SessionActivity::role, viewer)
                .thenApply(rows -> rows.sorted(Comparator.comparing(SessionActivity::sessionStart)
                                .thenComparingLong(SessionActivity::sessionId))
                        .toList());
    }

    private <T> CompletableFuture<Stream<T>> survey(
            Function<LoopSurvey, List<T>> found, Function<T, String> owner, Viewer viewer) {
        Map<EventLoop, List<ClientConnection>> byLoop = new HashMap<>();
        for (ClientConnection connection : connections) {
            connection
                    .loop()
                    .ifPresent(loop -> byLoop.computeIfAbsent(loop, first -> new ArrayList<>())
                            .add(connection));
        }
        Moment now = Moment.now();
        List<CompletableFuture<LoopSurvey>> surveys = new ArrayList<>();
        byLoop.forEach((loop, those) -> surveys.add(new LoopSurvey(loop, those, now).done()));
        return CompletableFuture.allOf(surveys.toArray(CompletableFuture[]::new))
                .thenApply(all -> surveys.stream()
                        .flatMap(survey -> found.apply(survey.join()).stream())
                        .filter(row -> viewer.sees(owner.apply(row))));
    }
}
