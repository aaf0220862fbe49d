package dev.tenantry.proxy.query;

import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.Node;
import dev.tenantry.routing.RoutingContext;
import dev.tenantry.sql.SearchPath;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The session as the later statements of one string will find it: the search_path and role that the earlier ones set.
 */
final class StringSimulation implements RoutingContext {
    private final RoutingContext session;
    private @Nullable List<String> searchPath;
    private @Nullable String role;

    StringSimulation(RoutingContext session) {
        this.session = session;
    }

    /** A statement will have run. */
    void after(StatementFacts facts) {
        for (SetConfigCall call : facts.settingCalls()) {
            if (call.value() instanceof SetConfigCall.Argument.Literal(String text)) {
                set(call.name(), text);
            }
        }
        switch (facts.action()) {
            case StatementAction.SetVariable set -> {
                if (set.value() instanceof StatementAction.SettingValue.Text(String text)) {
                    set(set.name(), text);
                }
            }
            case StatementAction.ResetVariable reset -> {
                if (reset.name().equals("search_path")) {
                    searchPath = SearchPath.parse("\"$user\", public").orElse(List.of());
                }
            }
            default -> {
                // changes nothing that routes
            }
        }
    }

    private void set(String name, String value) {
        if (name.equals("search_path")) {
            searchPath = SearchPath.parse(value).orElse(List.of());
        } else if (name.equals("role")) {
            role = value;
        }
    }

    @Override
    public CatalogView catalog() {
        return session.catalog();
    }

    @Override
    public List<String> searchPath() {
        return searchPath == null ? session.searchPath() : searchPath;
    }

    @Override
    public String currentRole() {
        return role == null ? session.currentRole() : role;
    }

    @Override
    public @Nullable Node transactionNode() {
        return session.transactionNode();
    }

    @Override
    public @Nullable Node catalogNode() {
        return session.catalogNode();
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
