package dev.tenantry.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.sql.LexicalRules;
import dev.tenantry.sql.SearchPath;
import dev.tenantry.sql.SqlScanner;
import dev.tenantry.sql.StatementFacts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tables of docs/routing.md, cell by cell. */
class RoutingTableTest {

    private static final Node COORDINATOR = new Node(1, 0, "coord", "localhost", 5432, true, true);
    private static final Node W1 = new Node(2, 1, "w1", "localhost", 5433, true, true);
    private static final Node W2 = new Node(3, 2, "w2", "localhost", 5434, true, true);
    private static final CatalogSnapshot CATALOG = new CatalogSnapshot(
            1,
            "cluster",
            "tenantry",
            List.of(COORDINATOR, W1, W2),
            Stream.of(
                            new DistributedSchema("home", 1, COORDINATOR),
                            new DistributedSchema("a", 2, W1),
                            new DistributedSchema("b", 3, W1),
                            new DistributedSchema("c", 4, W2),
                            new DistributedSchema("joe", 5, W2),
                            new DistributedSchema("Odd Name", 6, W2))
                    .collect(Collectors.toMap(DistributedSchema::name, schema -> schema)),
            Map.of());
    private static final Router ROUTER = new Router();
    private static final int CELLS_MIN = 700;

    private record Context(String path, String transaction, String followed, String parameter)
            implements RoutingContext {

        @Override
        public CatalogView catalog() {
            return CATALOG;
        }

        @Override
        public List<String> searchPath() {
            return SearchPath.parse(path).orElseThrow();
        }

        @Override
        public String currentRole() {
            return "joe";
        }

        @Override
        public @Nullable Node transactionNode() {
            return CATALOG.nodeNamed(transaction).orElse(null);
        }

        @Override
        public @Nullable Node catalogNode() {
            return CATALOG.nodeNamed(followed).orElse(null);
        }

        @Override
        public @Nullable String parameter(int number) {
            return number == 1 && !parameter.isEmpty() ? parameter : null;
        }

        @Override
        public int parameterCount() {
            return parameter.isEmpty() ? 0 : 1;
        }
    }

    /** One cell: what is run where, and what the table says of it. */
    record Cell(String sql, String path, String transaction, String followed, String parameter, String route) {}

    @ParameterizedTest
    @MethodSource("cells")
    void routesAsTheTableSays(Cell cell) {
        assertThat(routes(cell.sql(), cell.path(), cell.transaction(), cell.followed(), cell.parameter()))
                .isEqualTo(cell.route());
    }

    static String routes(String sql, String path, String transaction, String followed, String parameter) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        List<StatementFacts> statements = new SqlScanner().scan(bytes, 0, bytes.length, LexicalRules.DEFAULT);
        RoutingContext context = new Context(path, transaction, followed, parameter);
        return statements.stream()
                .map(facts -> shown(ROUTER.route(facts, context)))
                .collect(Collectors.joining("; "));
    }

    /** A session outside a transaction. */
    static RoutingContext context(String path) {
        return new Context(path, "", "", "");
    }

    /** The route of the first statement, outside a transaction. */
    static Route route(String sql, String path) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        StatementFacts facts = new SqlScanner()
                .scan(bytes, 0, bytes.length, LexicalRules.DEFAULT)
                .getFirst();
        return ROUTER.route(facts, new Context(path, "", "", ""));
    }

    private static String shown(Route route) {
        return switch (route) {
            case Route.ToNode(Node node, Route.Reason reason) -> node.name() + " " + reason;
            case Route.ToAnyNode(Route.Reason reason) -> "any " + reason;
            case Route.ToEveryNode(Route.Reason reason) -> "every " + reason;
            case Route.Locally(Route.Reason reason) -> "session " + reason;
            case Route.Refused(Refusal refusal, Route.Reason reason) -> reason + " " + refusal.sqlState();
        };
    }

    static List<Cell> cells() throws IOException {
        List<Cell> cells = new ArrayList<>();
        List<String> header = List.of();
        for (String line : Files.readAllLines(Path.of("docs/routing.md"))) {
            List<String> columns = line.startsWith("| ") ? columns(line) : List.of();
            if (columns.isEmpty()) {
                header = List.of();
            } else if (header.isEmpty()) {
                header = columns;
            } else if (!columns.getFirst().startsWith("---")) {
                addCells(cells, header, columns);
            }
        }
        assertThat(cells).hasSizeGreaterThan(CELLS_MIN);
        return cells;
    }

    private static void addCells(List<Cell> cells, List<String> header, List<String> row) {
        if (header.get(1).equals("search_path")) {
            cells.add(new Cell(row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5)));
            return;
        }
        for (int i = 1; i < row.size(); i++) {
            cells.add(new Cell(row.getFirst(), header.get(i), "", "", "", row.get(i)));
        }
    }

    private static List<String> columns(String line) {
        return Stream.of(line.substring(2, line.length() - 2).split(" \\| ", -1))
                .map(cell -> cell.replace("`", "").strip())
                .toList();
    }
}
