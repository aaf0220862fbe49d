package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What the clients of {@link IsolationCheck} find: a role of theirs and schemas, each of which holds its own name. In a
 * schema, {@code t} has a row and {@code own_<number>} is a table for each client.
 *
 * @param server where the clients sign in, as the role
 * @param schemas the names
 * @param defaults the settings that a session of the role begins with
 * @param losesServers whether connections and servers may go
 */
record IsolationBed(ServerAddress server, List<String> schemas, Map<String, String> defaults, boolean losesServers) {
    static final String ROLE = "check_isolation";
    private static final String PREFIX = "check_isolation_";

    IsolationBed {
        schemas = List.copyOf(schemas);
        defaults = Map.copyOf(defaults);
    }

    /** Makes it anew, as the superuser of that address. */
    static IsolationBed make(ServerAddress superuser, int schemaCount, int clients, boolean losesServers)
            throws IOException {
        remove(superuser);
        String password = UUID.randomUUID().toString();
        List<String> schemas = new ArrayList<>();
        try (WireClient by = WireClient.open(superuser, Map.of())) {
            by.mustRun("CREATE ROLE " + ROLE + " LOGIN PASSWORD '" + password + "'");
            for (int i = 1; i <= schemaCount; i++) {
                schemas.add(PREFIX + i);
                furnish(by, PREFIX + i, clients);
            }
        }
        ServerAddress role = superuser.as(ROLE, password);
        return new IsolationBed(role, schemas, defaults(role), losesServers);
    }

    private static void furnish(WireClient by, String schema, int clients) throws IOException {
        by.mustRun("CREATE SCHEMA " + schema);
        by.mustRun("BEGIN");
        by.mustRun("SET LOCAL search_path TO " + schema);
        by.mustRun("CREATE TABLE t (client int PRIMARY KEY, owner text NOT NULL, n bigint NOT NULL)");
        by.mustRun("INSERT INTO t SELECT client, '" + schema + "', 0 FROM generate_series(1, " + clients + ") client");
        for (int client = 1; client <= clients; client++) {
            by.mustRun("CREATE TABLE own_" + client + " (owner text NOT NULL)");
        }
        by.mustRun("CREATE FUNCTION whoami() RETURNS text LANGUAGE sql AS $$ SELECT '" + schema + "'::text $$");
        by.mustRun("COMMIT");
        by.mustRun("GRANT USAGE ON SCHEMA " + schema + " TO " + ROLE);
        by.mustRun("GRANT ALL ON ALL TABLES IN SCHEMA " + schema + " TO " + ROLE);
    }

    private static Map<String, String> defaults(ServerAddress role) throws IOException {
        Map<String, String> defaults = new HashMap<>();
        try (WireClient client = WireClient.open(role, Map.of())) {
            for (String name : List.of(SessionModel.SEARCH_PATH, RandomSteps.WORK_MEM, RandomSteps.APPLICATION)) {
                defaults.put(
                        name,
                        String.valueOf(client.mustRun("SHOW " + name).getFirst().getFirst()));
            }
        }
        defaults.put(RandomSteps.MARK, "");
        return defaults;
    }

    /** Removes it, and what an earlier run has left. */
    static void remove(ServerAddress superuser) throws IOException {
        Remnants.remove(superuser, ROLE, PREFIX);
    }
}
