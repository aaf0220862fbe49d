package dev.tenantry.routing;

import dev.tenantry.sql.SearchPath;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementKind;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Which schemas a statement may use where it runs, as far as its text and the search_path tell; rather one too many.
 * What its functions, views and triggers use is not among them. Pure.
 */
public final class UsedSchemas {

    private UsedSchemas() {}

    /**
     * Adds their names.
     *
     * @param path the schemas that names without one may be in when it runs
     */
    public static void addTo(Collection<String> names, StatementFacts facts, Supplier<List<String>> path) {
        names.addAll(facts.schemas());
        names.addAll(facts.catalogLiterals());
        if (facts.unqualifiedRelation() || facts.unqualifiedOther() || facts.readsPath() || isOpaque(facts.kind())) {
            names.addAll(path.get());
        }
        switch (facts.action()) {
            case StatementAction.DropSchema drop -> names.addAll(drop.names());
            case StatementAction.RenameSchema rename -> names.add(rename.name());
            case StatementAction.AlterSchemaOwner owner -> names.add(owner.name());
            case StatementAction.OnSchemas on -> names.addAll(on.names());
            default -> {
                // names no schema but as above
            }
        }
    }

    /** Adds those that later statements of the same string may use, because this one leads there. */
    public static void addSet(Collection<String> names, StatementFacts facts) {
        if (facts.action() instanceof StatementAction.SetVariable set
                && set.value() instanceof StatementAction.SettingValue.Text(String text)) {
            setting(set.name(), text, names::add);
        }
        for (SetConfigCall call : facts.settingCalls()) {
            if (call.value() instanceof SetConfigCall.Argument.Literal(String text)) {
                setting(call.name(), text, names::add);
            }
        }
    }

    private static boolean isOpaque(StatementKind kind) {
        return kind == StatementKind.DO || kind == StatementKind.UNKNOWN;
    }

    private static void setting(String name, String text, Consumer<String> names) {
        switch (name) {
            case "search_path" -> SearchPath.parse(text).orElse(List.of()).forEach(names);
            case "role", "session_authorization" -> names.accept(text); // "$user"
            default -> {
                // leads to no schema
            }
        }
    }
}
