package dev.tenantry.command;

import dev.tenantry.client.Options;
import dev.tenantry.sql.SqlName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code rebalance}: has schemas brought to where they should be and shows how it goes, or what would be done. */
final class RebalanceCommand {

    static final Set<String> SWITCHES = Set.of("dry-run", "drain-only", "detach", "stop");

    private static final Duration LOOK = Duration.ofMillis(200);

    private static final String STATE = """
            SELECT job_id, state, coalesce((details #>> '{task_state_counts,done}')::int, 0),
                   (SELECT coalesce(sum(value::int), 0) FROM pg_catalog.jsonb_each_text(details -> 'task_state_counts')
                    WHERE key <> 'cancelled'),
                   (SELECT string_agg(concat(t ->> 'command', ': ' || (t ->> 'message')), '; ')
                    FROM pg_catalog.jsonb_array_elements(details -> 'tasks') t
                    WHERE t ->> 'message' <> ''),
                   finished_at IS NOT NULL
            """;

    private final ClusterSession cluster;
    private final Options options;
    private final Screen screen;

    RebalanceCommand(ClusterSession cluster, Options options, Screen screen) {
        this.cluster = cluster;
        this.options = options;
        this.screen = screen;
    }

    /** How far a rebalance is: moves that are done, of those planned. */
    private record State(String id, String state, long done, long planned, String trouble, boolean ended) {

        private static State of(List<@Nullable String> row) {
            return new State(
                    String.valueOf(row.get(0)),
                    String.valueOf(row.get(1)),
                    Long.parseLong(String.valueOf(row.get(2))),
                    Long.parseLong(String.valueOf(row.get(3))),
                    row.get(4) == null ? "" : String.valueOf(row.get(4)),
                    "t".equals(row.get(5)));
        }

        private String counts() {
            return "rebalance " + id + " " + state + ": " + done + " of " + planned + " moves done";
        }
    }

    static void check(Options options) {
        options.allow(0, "url", "strategy", "mode", "drain-only", "dry-run", "detach", "stop");
        options.choice("mode", "auto", "force_logical", "block_writes");
    }

    /** The rebalance that runs, in one line. */
    static Optional<String> running(ClusterSession cluster) throws CommandFailedException {
        return cluster.run(STATE + " FROM tenantry.citus_rebalance_status(true)").stream()
                .map(State::of)
                .filter(state -> !state.ended())
                .map(State::counts)
                .findFirst();
    }

    void run() throws CommandFailedException, InterruptedException {
        if (options.isOn("stop")) {
            cluster.run("SELECT tenantry.citus_rebalance_stop()");
            screen.result("no more moves begin, and those that run are undone");
        } else if (options.isOn("dry-run")) {
            showPlan();
        } else {
            start();
        }
    }

    private String arguments() {
        return "rebalance_strategy => %s, drain_only => %s"
                .formatted(options.text("strategy").map(SqlName::literal).orElse("NULL"), options.isOn("drain-only"));
    }

    private void showPlan() throws CommandFailedException {
        List<List<String>> moves = new ArrayList<>();
        for (List<@Nullable String> row : cluster.run("SELECT schema_name, source, target, bytes"
                + " FROM tenantry.tenantry_rebalance_plan(" + arguments() + ")")) {
            moves.add(List.of(text(row, 0), text(row, 1), text(row, 2), size(row, 3)));
        }
        if (moves.isEmpty()) {
            screen.result("nothing would be moved");
            return;
        }
        Figures.table(List.of("schema", "from", "to", "size"), moves).forEach(screen::result);
        List<List<String>> nodes = new ArrayList<>();
        for (List<@Nullable String> row :
                cluster.run("SELECT node, schemas_before, schemas_after, bytes_before, bytes_after"
                        + " FROM tenantry.tenantry_rebalance_forecast(" + arguments() + ")")) {
            nodes.add(List.of(text(row, 0), text(row, 1), text(row, 2), size(row, 3), size(row, 4)));
        }
        screen.result("");
        Figures.table(List.of("node", "schemas", "then", "size", "then"), nodes).forEach(screen::result);
    }

    private void start() throws CommandFailedException, InterruptedException {
        String id = cluster.run("SELECT tenantry.citus_rebalance_start(%s, shard_transfer_mode => %s)"
                        .formatted(
                                arguments(),
                                SqlName.literal(options.choice("mode", "auto", "force_logical", "block_writes"))))
                .getFirst()
                .getFirst();
        if (id == null || options.isOn("detach")) {
            screen.result(id == null ? "nothing is to be moved" : "rebalance " + id + " is under way");
            return;
        }
        Thread leaving = new Thread(() -> screen.problem(
                "rebalance %s goes on; end it with ./tenantry rebalance --stop --url URL".formatted(id)));
        Runtime.getRuntime().addShutdownHook(leaving);
        State end = follow(id);
        Runtime.getRuntime().removeShutdownHook(leaving);
        if (!end.state().equals("finished")) {
            throw new CommandFailedException(end.counts() + (end.trouble().isEmpty() ? "" : "; " + end.trouble()));
        }
        screen.result(end.counts());
    }

    private State follow(String id) throws CommandFailedException, InterruptedException {
        while (true) {
            State now = State.of(cluster.ask(STATE + " FROM tenantry.citus_job_status(" + id + ", true)")
                    .getFirst());
            if (now.ended()) {
                return now;
            }
            String moving = cluster
                    .ask("SELECT " + MoveState.COLUMNS
                            + " FROM tenantry.tenantry_moves WHERE finished_at IS NULL ORDER BY moveid")
                    .stream()
                    .map(MoveState::of)
                    .map(move -> move.schema() + " " + move.percent() + " %")
                    .limit(3)
                    .collect(Collectors.joining(", "));
            screen.progress(
                    "%s %d of %d moves; %s"
                            .formatted(
                                    Figures.bar(Figures.percent(now.done(), now.planned())),
                                    now.done(),
                                    now.planned(),
                                    moving),
                    now.counts());
            Thread.sleep(LOOK);
        }
    }

    private static String text(List<@Nullable String> row, int column) {
        String value = row.get(column);
        return value == null ? "" : value;
    }

    private static String size(List<@Nullable String> row, int column) {
        String value = row.get(column);
        return value == null ? "?" : Figures.size(Long.parseLong(value));
    }
}
