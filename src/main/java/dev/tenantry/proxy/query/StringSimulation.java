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
    private @Nullable List<String> searchPathBefore;
    private @Nullable String roleBefore;
    private boolean inBlock;
    private boolean beganBefore;
    private boolean changedLocally;
    private boolean uncertain;

    /**
     * A string that begins now.
     *
     * @param inBlock whether the session is in a block already
     */
    StringSimulation(RoutingContext session, boolean inBlock) {
        this.session = session;
        this.inBlock = inBlock;
        this.beganBefore = inBlock;
    }

    private void remember() {
        changedLocally = false;
        searchPathBefore = searchPath;
        roleBefore = role;
    }

    /** Whether what later statements find depends on what was before the string, or on how it went. */
    boolean isUncertain() {
        return uncertain;
    }

    /** A statement will have run. */
    void after(StatementFacts facts) {
        for (SetConfigCall call : facts.settingCalls()) {
            if (call.value() instanceof SetConfigCall.Argument.Literal(String text)) {
                set(call.name(), text);
            } else {
                uncertain |= routes(call.name());
            }
        }
        for (String name : facts.traces().settings()) {
            uncertain |= routes(name) || name.equals(StatementFacts.Traces.ANY_SETTING);
        }
        switch (facts.action()) {
            case StatementAction.Begin _ -> {
                if (!inBlock) {
                    remember();
                    inBlock = true;
                }
            }
            case StatementAction.Commit _, StatementAction.PrepareTransaction _ -> {
                uncertain |= changedLocally;
                remember();
                inBlock = false;
                beganBefore = false;
            }
            case StatementAction.RollbackTo _ -> uncertain = true;
            case StatementAction.Rollback _ -> {
                uncertain |= beganBefore;
                searchPath = searchPathBefore;
                role = roleBefore;
                inBlock = false;
                beganBefore = false;
            }
            case StatementAction.SetVariable set -> {
                changedLocally |= set.local();
                if (set.value() instanceof StatementAction.SettingValue.Text(String text)) {
                    set(set.name(), text);
                } else {
                    uncertain |= routes(set.name());
                }
            }
            case StatementAction.ResetVariable reset -> uncertain |= routes(reset.name());
            case StatementAction.ResetAll() -> uncertain = true; // what the session began with is not known here
            default -> {
                // changes nothing that routes
            }
        }
    }

    private static boolean routes(String name) {
        return name.equals("search_path") || name.equals("role") || name.equals("session_authorization");
    }

    private void set(String name, String value) {
        if (name.equals("search_path")) {
            searchPath = SearchPath.parse(value).orElse(List.of());
        } else if (name.equals("role") || name.equals("session_authorization")) {
            role = value; // which a new session authorization takes back
            uncertain |= value.equals("none") || value.equals("default"); // then it is another's that counts
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
