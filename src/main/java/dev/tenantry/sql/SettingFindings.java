package dev.tenantry.sql;

import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementFacts.Traces;
import java.util.ArrayList;
import java.util.List;

/** What has been found of settings that the statement being read sets otherwise than by SET. */
final class SettingFindings {

    private final List<String> names = new ArrayList<>();
    private List<SetConfigCall> certain = List.of();
    private int count;
    private int staying;

    void clear() {
        names.clear();
        certain = List.of();
        count = 0;
        staying = 0;
    }

    /** Something sets a setting, which {@link #named} may tell more of. */
    void found() {
        count++;
        staying++;
    }

    /** What was found last sets this one, in lower case; {@code local} if it ends with the transaction. */
    void named(String name, boolean local) {
        names.add(name);
        staying -= local ? 1 : 0;
    }

    /** Whether anything was found. */
    boolean any() {
        return count > 0;
    }

    /** All that was found is these calls, and they are run when the statement works; none if that is not so. */
    void certain(List<SetConfigCall> calls) {
        if (!calls.isEmpty()) {
            clear();
            certain = calls;
        }
    }

    List<SetConfigCall> certain() {
        return certain;
    }

    /** Whether one that is not {@link #certain} may last longer than the transaction. */
    boolean mayStay() {
        return staying > 0;
    }

    /** Whether this setting, in lower case, is one of them. */
    boolean sets(String name) {
        return names.contains(name)
                || certain.stream().anyMatch(call -> call.name().equals(name));
    }

    /** The names of those that are not {@link #certain}. */
    List<String> uncertain() {
        if (count > names.size()) {
            names.add(Traces.ANY_SETTING);
        }
        return List.copyOf(names);
    }
}
