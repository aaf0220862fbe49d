package dev.tenantry.control.node;

import dev.tenantry.control.node.NodeUnfitException.Lack;
import dev.tenantry.store.ServerConnection;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The SQL a node needs: what checks a server, and what is installed on it. Kept once, as resources; the coordinator has
 * a copy in its catalog, because {@code citus_add_node} runs there.
 */
public final class NodeScripts {

    private NodeScripts() {}

    /** Text of the script that lists what a server lacks. */
    public static String check() {
        return resource("/db/node/check.sql");
    }

    /** Text of the script that installs what every node has. */
    public static String install() {
        return resource("/db/node/install.sql");
    }

    /**
     * Looks whether a server can be the coordinator; changes nothing there.
     *
     * @throws NodeUnfitException if it can't, with everything it lacks
     */
    public static void requireCoordinator(ServerConnection connection) {
        List<Lack> lacks = new ArrayList<>();
        for (String script : List.of(check(), resource("/db/node/check-coordinator.sql"))) {
            connection
                    .query(script)
                    .forEach(row -> lacks.add(new Lack(row.getString(0), row.getString(1), row.getString(2))));
        }
        if (!lacks.isEmpty()) {
            throw new NodeUnfitException(connection.address().toString(), lacks);
        }
    }

    private static String resource(String path) {
        try (InputStream stream = Objects.requireNonNull(NodeScripts.class.getResourceAsStream(path), path)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
