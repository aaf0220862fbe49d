package dev.tenantry.command;

import dev.tenantry.client.Options;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code status}: the nodes and what they hold, and what is being moved. */
final class StatusCommand {

    private final ClusterSession cluster;
    private final Options options;
    private final Screen screen;

    StatusCommand(ClusterSession cluster, Options options, Screen screen) {
        this.cluster = cluster;
        this.options = options;
        this.screen = screen;
    }

    static void check(Options options) {
        options.allow(0, "url", "schemas");
    }

    void run() throws CommandFailedException {
        List<List<String>> nodes = new ArrayList<>();
        for (List<@Nullable String> row : cluster.run("""
                SELECT name, nodename || ':' || nodeport, role,
                       CASE WHEN NOT isactive THEN 'inactive' WHEN bytes IS NULL THEN 'no answer'
                            WHEN NOT shouldhaveshards THEN 'takes no schemas' ELSE 'active' END, schemas, bytes
                FROM tenantry.tenantry_nodes
                """)) {
            nodes.add(List.of(text(row, 0), text(row, 1), text(row, 2), text(row, 3), text(row, 4), size(row, 5)));
        }
        Figures.table(List.of("node", "address", "role", "state", "schemas", "size"), nodes)
                .forEach(screen::result);
        if (options.isOn("schemas")) {
            schemas();
        }
        moves();
        RebalanceCommand.running(cluster).ifPresent(running -> screen.result("\n" + running));
    }

    private void schemas() throws CommandFailedException {
        List<List<String>> schemas = new ArrayList<>();
        for (List<@Nullable String> row : cluster.run("""
                SELECT s.schema_name, n.name, s.schema_size, s.schema_owner
                FROM tenantry.citus_schemas s JOIN tenantry.pg_dist_node n USING (nodename, nodeport)
                ORDER BY s.schema_name::text
                """)) {
            schemas.add(List.of(text(row, 0), text(row, 1), row.get(2) == null ? "?" : text(row, 2), text(row, 3)));
        }
        screen.result("");
        Figures.table(List.of("schema", "node", "size", "owner"), schemas).forEach(screen::result);
    }

    private void moves() throws CommandFailedException {
        List<List<String>> moves = new ArrayList<>();
        for (List<@Nullable String> row : cluster.run("SELECT " + MoveState.COLUMNS
                + " FROM tenantry.tenantry_moves WHERE finished_at IS NULL ORDER BY moveid")) {
            MoveState move = MoveState.of(row);
            moves.add(List.of(
                    Long.toString(move.id()),
                    move.schema(),
                    move.source(),
                    move.target(),
                    screen.isTerminal() ? Figures.bar(move.percent()) : move.percent() + " %",
                    move.situation()));
        }
        screen.result("");
        if (moves.isEmpty()) {
            screen.result("no schema is being moved");
        } else {
            Figures.table(List.of("move", "schema", "from", "to", "copied", "phase"), moves)
                    .forEach(screen::result);
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
