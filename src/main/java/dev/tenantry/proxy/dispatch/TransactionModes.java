package dev.tenantry.proxy.dispatch;

import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SessionSettings.State;
import dev.tenantry.proxy.session.SessionSettings.Value;
import dev.tenantry.proxy.session.SettingValues;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The modes of a transaction as BEGIN takes them ("BEGIN" in "SQL Commands"). Pure. */
final class TransactionModes {

    private TransactionModes() {}

    /** BEGIN with the modes that are among these settings. */
    static String begin(State settings) {
        if (settings.local().isEmpty()) {
            return "BEGIN";
        }
        List<String> modes = clauses(settings);
        return modes.isEmpty() ? "BEGIN" : "BEGIN " + String.join(", ", modes);
    }

    /** The modes alone. */
    static Map<String, Value> of(State settings) {
        Map<String, Value> modes = new HashMap<>(settings.local());
        modes.keySet().removeIf(name -> !SessionSettings.isMode(name));
        return modes;
    }

    /** The modes that are among these settings, as clauses. */
    static List<String> clauses(State settings) {
        List<String> clauses = new ArrayList<>();
        String isolation = text(settings, "transaction_isolation");
        switch (isolation == null ? "" : isolation.toLowerCase(Locale.ROOT)) {
            case "serializable" -> clauses.add("ISOLATION LEVEL SERIALIZABLE");
            case "repeatable read" -> clauses.add("ISOLATION LEVEL REPEATABLE READ");
            case "read committed" -> clauses.add("ISOLATION LEVEL READ COMMITTED");
            case "read uncommitted" -> clauses.add("ISOLATION LEVEL READ UNCOMMITTED");
            default -> {
                // as the session's default says
            }
        }
        String readOnly = text(settings, "transaction_read_only");
        if (readOnly != null) {
            clauses.add(SettingValues.isOff(readOnly) ? "READ WRITE" : "READ ONLY");
        }
        String deferrable = text(settings, "transaction_deferrable");
        if (deferrable != null) {
            clauses.add(SettingValues.isOff(deferrable) ? "NOT DEFERRABLE" : "DEFERRABLE");
        }
        return clauses;
    }

    private static @Nullable String text(State settings, String mode) {
        Value value = settings.local().get(mode);
        return value == null ? null : value.text();
    }
}
