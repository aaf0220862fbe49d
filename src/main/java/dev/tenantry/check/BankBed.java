package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * What the clients of {@link BankCheck} find: a role of theirs and schemas, one node after the other, in each of which
 * are accounts and the entries of every transfer that has to do with them.
 *
 * @param proxies where the clients sign in, as the role
 * @param schemas the names
 * @param accounts how many there are in each
 * @param losesServers whether connections and servers may go
 */
record BankBed(List<ServerAddress> proxies, List<String> schemas, int accounts, boolean losesServers) {
    static final String ROLE = "check_bank";

    /** What is in each account at first. */
    static final long BALANCE = 1_000;

    private static final Duration AWAY_MAX = Duration.ofSeconds(60);
    private static final long RETRY_MILLIS = 200;
    private static final String PREFIX = "check_bank_";

    BankBed {
        proxies = List.copyOf(proxies);
        schemas = List.copyOf(schemas);
    }

    /** Makes it anew, as the superuser of these addresses. */
    static BankBed make(List<ServerAddress> superusers, int schemaCount, int accounts, boolean losesServers)
            throws IOException {
        remove(superusers.getFirst());
        String password = UUID.randomUUID().toString();
        List<String> schemas = new ArrayList<>();
        ClusterNodes nodes = ClusterNodes.of(superusers.getFirst());
        try (WireClient by = WireClient.open(superusers.getFirst(), Map.of())) {
            by.mustRun("CREATE ROLE " + ROLE + " LOGIN PASSWORD '" + password + "'");
            for (int i = 1; i <= schemaCount; i++) {
                schemas.add(PREFIX + i);
                if (nodes.isCluster()) {
                    ServerAddress node = nodes.servers().get(i % nodes.servers().size());
                    by.mustRun("SET tenantry.node = '" + node.host() + ":" + node.port() + "'");
                }
                furnish(by, PREFIX + i, accounts);
            }
        }
        List<ServerAddress> proxies =
                superusers.stream().map(one -> one.as(ROLE, password)).toList();
        return new BankBed(proxies, schemas, accounts, losesServers);
    }

    private static void furnish(WireClient by, String schema, int accounts) throws IOException {
        by.mustRun("CREATE SCHEMA " + schema);
        by.mustRun("BEGIN");
        by.mustRun("SET LOCAL search_path TO " + schema);
        by.mustRun("CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL)");
        by.mustRun("CREATE TABLE entry (transfer bigint, account int REFERENCES account, amount bigint NOT NULL,"
                + " PRIMARY KEY (transfer, account))");
        by.mustRun("CREATE INDEX ON entry (account)");
        by.mustRun("INSERT INTO account SELECT id, " + BALANCE + " FROM generate_series(1, " + accounts + ") id");
        by.mustRun("COMMIT");
        by.mustRun("GRANT USAGE ON SCHEMA " + schema + " TO " + ROLE);
        by.mustRun("GRANT ALL ON ALL TABLES IN SCHEMA " + schema + " TO " + ROLE);
    }

    /** What all accounts hold together, always. */
    long total() {
        return BALANCE * schemas.size() * accounts;
    }

    /** Removes it through whichever of these lets us in first; those that died last are still coming back. */
    static void removeThroughAny(List<ServerAddress> superusers) throws IOException, InterruptedException {
        Instant end = Instant.now().plus(AWAY_MAX);
        for (int i = 0; ; i++) {
            try {
                remove(superusers.get(i % superusers.size()));
                return;
            } catch (IOException away) {
                if (Instant.now().isAfter(end)) {
                    throw away;
                }
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
            }
        }
    }

    /** Removes it, and what an earlier run has left. */
    static void remove(ServerAddress superuser) throws IOException {
        Remnants.remove(superuser, ROLE, PREFIX);
    }
}
