package dev.tenantry.proxy.answer;

import dev.tenantry.routing.ExplainedRoute;
import dev.tenantry.routing.Refusal;
import java.util.List;
import java.util.function.Function;

/** The columns of EXPLAIN (TENANTRY). */
public final class RouteColumns {

    /** Where a statement goes and why, or the error that it gets instead. */
    public static final List<Column<ExplainedRoute>> ALL = List.of(
            Column.text("node", ExplainedRoute::node),
            Column.text("reason", row -> row.reason().name()),
            Column.text("schema", ExplainedRoute::schema),
            refusal("sqlstate", Refusal::sqlState),
            refusal("message", Refusal::message),
            refusal("detail", Refusal::detail),
            refusal("hint", Refusal::hint));

    private RouteColumns() {}

    private static Column<ExplainedRoute> refusal(String name, Function<Refusal, String> part) {
        return Column.text(name, row -> row.refusal().map(part).orElse(null));
    }
}
