package dev.tenantry.check;

import dev.tenantry.client.ServerAddress;
import dev.tenantry.client.WireClient;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a check has made, or an earlier one has left: a role, and schemas with numbers. */
final class Remnants {

    private Remnants() {}

    /** Removes what is there of it. */
    static void remove(ServerAddress superuser, String role, String prefix) throws IOException {
        try (WireClient by = WireClient.open(superuser, Map.of())) {
            List<List<@Nullable String>> found =
                    by.mustRun("SELECT nspname FROM pg_namespace WHERE nspname ~ '^" + prefix + "[0-9]+$' ORDER BY 1");
            for (List<@Nullable String> row : found) {
                by.mustRun("DROP SCHEMA " + row.getFirst() + " CASCADE");
            }
            by.mustRun("DROP ROLE IF EXISTS " + role);
        }
    }
}
