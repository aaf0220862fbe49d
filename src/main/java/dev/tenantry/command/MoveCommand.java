package dev.tenantry.command;

import dev.tenantry.client.Options;
import dev.tenantry.sql.SqlName;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code move SCHEMA NODE}: has a schema moved and shows how it goes; who leaves early leaves the move going on. */
final class MoveCommand {

    static final Set<String> SWITCHES = Set.of("detach");

    private static final Duration LOOK = Duration.ofMillis(200);

    private final ClusterSession cluster;
    private final Options options;
    private final Screen screen;

    MoveCommand(ClusterSession cluster, Options options, Screen screen) {
        this.cluster = cluster;
        this.options = options;
        this.screen = screen;
    }

    /** Says what is wrong with the options. */
    static void check(Options options) {
        options.allow(2, "url", "mode", "detach", "cancel");
        options.choice("mode", "auto", "force_logical", "block_writes");
        if (options.text("cancel").isPresent()) {
            options.number("cancel", 0, 1, Integer.MAX_VALUE);
            if (!options.words().isEmpty()) {
                throw new IllegalArgumentException("--cancel takes the number of a move and nothing else");
            }
        } else if (options.words().size() < 2) {
            throw new IllegalArgumentException("say which schema is to go to which node: move SCHEMA NODE");
        }
    }

    void run() throws CommandFailedException, InterruptedException {
        if (options.text("cancel").isPresent()) {
            cancel(options.number("cancel", 0, 1, Integer.MAX_VALUE));
            return;
        }
        long id = start(options.words().get(0), options.words().get(1));
        if (options.isOn("detach")) {
            screen.result("move " + id + " is under way");
            return;
        }
        Thread leaving = new Thread(() -> screen.problem(
                "move %d goes on; undo it with ./tenantry move --cancel %d --url URL".formatted(id, id)));
        Runtime.getRuntime().addShutdownHook(leaving);
        MoveState end = follow(id);
        Runtime.getRuntime().removeShutdownHook(leaving);
        if (!end.isOnTarget()) {
            throw new CommandFailedException(
                    "schema " + end.schema() + " was not moved, and is as it was: " + end.error());
        }
        screen.result("schema %s is on %s: %s, clients waited for %.0f ms"
                .formatted(end.schema(), end.target(), Figures.seconds(end.seconds()), end.stallMillis()));
    }

    private void cancel(long id) throws CommandFailedException, InterruptedException {
        List<List<@Nullable String>> answer = cluster.run("SELECT tenantry.tenantry_move_cancel(" + id + ")");
        if (!"t".equals(answer.getFirst().getFirst())) {
            throw new CommandFailedException("move " + id + " has switched or ended; it can't be undone");
        }
        MoveState end = follow(id);
        screen.result("move %d of schema %s is undone".formatted(id, end.schema()));
    }

    private long start(String schema, String node) throws CommandFailedException {
        String named = SqlName.literal(node);
        List<List<@Nullable String>> places = cluster.run(
                "SELECT nodename, nodeport FROM tenantry.pg_dist_node WHERE %s IN (name, nodename || ':' || nodeport)"
                                .formatted(named)
                        + " ORDER BY name = %s DESC LIMIT 1".formatted(named));
        if (places.isEmpty()) {
            throw new CommandFailedException("node \"" + node + "\" does not exist; there are "
                    + cluster.run("SELECT name FROM tenantry.pg_dist_node ORDER BY nodeid").stream()
                            .map(row -> String.valueOf(row.getFirst()))
                            .collect(Collectors.joining(", ")));
        }
        List<@Nullable String> place = places.getFirst();
        List<List<@Nullable String>> started = cluster.run("SELECT tenantry.tenantry_move_start(%s, %s, %s, %s)"
                .formatted(
                        SqlName.literal(SqlName.quoted(schema)),
                        SqlName.literal(String.valueOf(place.get(0))),
                        place.get(1),
                        SqlName.literal(options.choice("mode", "auto", "force_logical", "block_writes"))));
        return Long.parseLong(String.valueOf(started.getFirst().getFirst()));
    }

    private MoveState follow(long id) throws CommandFailedException, InterruptedException {
        while (true) {
            MoveState now = MoveState.of(
                    cluster.ask("SELECT " + MoveState.COLUMNS + " FROM tenantry.tenantry_moves WHERE moveid = " + id)
                            .getFirst());
            if (now.ended()) {
                return now;
            }
            screen.progress(now.line(), now.milestone());
            Thread.sleep(LOOK);
        }
    }
}
