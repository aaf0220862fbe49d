package dev.tenantry.bench;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.routing.Route;
import dev.tenantry.routing.Router;
import dev.tenantry.routing.RoutingContext;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SqlScanner;
import dev.tenantry.sql.StatementCache;
import dev.tenantry.sql.StatementFacts;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What scanning and routing a statement costs, with and without the cache; run with {@code -prof gc}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class ScanAndRouteBenchmark {

    private static final int SCHEMAS = 100_000;

    /** Which application. */
    public enum Text {
        PGBENCH_SELECT("SELECT abalance FROM pgbench_accounts WHERE aid = 271828;"),
        TPC_B("UPDATE pgbench_accounts SET abalance = abalance + -3721 WHERE aid = 271828;"),
        TPC_B_ALL("""
                BEGIN;
                UPDATE pgbench_accounts SET abalance = abalance + 17 WHERE aid = 71828;
                SELECT abalance FROM pgbench_accounts WHERE aid = 71828;
                UPDATE pgbench_tellers SET tbalance = tbalance + 17 WHERE tid = 8;
                UPDATE pgbench_branches SET bbalance = bbalance + 17 WHERE bid = 1;
                INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (8, 1, 71828, 17, CURRENT_TIMESTAMP);
                END;
                """),
        ORM("""
                SELECT t0."id" AS "t0_id", t0."name" AS "t0_name", t0."email", t1."total", t1."created_at" \
                FROM "tenant_4711"."users" t0 LEFT OUTER JOIN "tenant_4711"."orders" t1 ON t0."id" = t1."user_id" \
                LEFT OUTER JOIN "tenant_4711"."payments" t2 ON t1."id" = t2."order_id" \
                AND t2."state" IN ('open', 'paid') \
                WHERE t0."active" = $1 AND t1."total" >= $2 AND lower(t0."email") LIKE $3 \
                ORDER BY t0."id" ASC, t1."created_at" DESC LIMIT 20 OFFSET $4""");

        private final String sql;

        Text(String sql) {
            this.sql = sql;
        }
    }

    @Param
    public Text text = Text.ORM;

    private final SqlScanner scanner = new SqlScanner();
    private final StatementCache cache = new StatementCache(1 << 24);
    private final Router router = new Router();
    private byte[] bytes = new byte[0];
    private RoutingContext context = new Session(catalog());

    /** The text as bytes, and a new catalog, for each trial. */
    @Setup
    public void prepare() {
        bytes = text.sql.getBytes(StandardCharsets.UTF_8);
        context = new Session(catalog());
    }

    @Benchmark
    public @Nullable Route uncached() {
        return routed(scanner.scan(bytes, 0, bytes.length, LexicalRules.DEFAULT));
    }

    @Benchmark
    public @Nullable Route cached() {
        return routed(cache.scan(bytes, 0, bytes.length, LexicalRules.DEFAULT));
    }

    private @Nullable Route routed(List<StatementFacts> statements) {
        Route last = null;
        for (int i = 0; i < statements.size(); i++) {
            last = router.route(statements.get(i), context);
        }
        return last;
    }

    private static CatalogSnapshot catalog() {
        Node coordinator = new Node(1, 0, "coordinator", "localhost", 5432, true, true);
        Node worker = new Node(2, 1, "worker1", "localhost", 5433, true, true);
        Map<String, DistributedSchema> schemas = new HashMap<>();
        for (int i = 1; i <= SCHEMAS; i++) {
            schemas.put("tenant_" + i, new DistributedSchema("tenant_" + i, i, worker));
        }
        return new CatalogSnapshot(1, "cluster", "tenantry", List.of(coordinator, worker), schemas, Map.of());
    }

    private record Session(CatalogView catalog, List<String> searchPath) implements RoutingContext {

        Session(CatalogView catalog) {
            this(catalog, List.of("$user", "tenant_4711", "public"));
        }

        @Override
        public String currentRole() {
            return "app";
        }

        @Override
        public @Nullable Node transactionNode() {
            return null;
        }

        @Override
        public @Nullable Node catalogNode() {
            return null;
        }

        @Override
        public @Nullable String parameter(int number) {
            return null;
        }

        @Override
        public int parameterCount() {
            return 0;
        }
    }
}
