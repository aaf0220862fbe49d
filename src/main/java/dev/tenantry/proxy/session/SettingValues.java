package dev.tenantry.proxy.session;

import dev.tenantry.wire.SqlError;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the values of settings mean, as PostgreSQL reads them. Settings of our own are no more than names to a node,
 * which takes any value for them: what they can't be is said here.
 */
public final class SettingValues {
    /** Whether CREATE SCHEMA makes distributed schemas. */
    public static final String SHARDING = "citus.enable_schema_based_sharding";

    /** Whether a session keeps its connections, where they are shared. */
    public static final String POOL_MODE = "tenantry.pool_mode";

    private static final String KEEPS_CONNECTIONS = "session";
    private static final String SHARES_CONNECTIONS = "transaction";
    private static final List<String> POOL_MODES = List.of(KEEPS_CONNECTIONS, SHARES_CONNECTIONS);

    /** Words of which the beginning will do, as long as it is no other's ({@code parse_bool} of PostgreSQL). */
    private static final List<String> ON = List.of("true", "yes", "on");

    private static final List<String> OFF = List.of("false", "no", "off");

    private SettingValues() {}

    /** Whether a boolean setting is off. */
    public static boolean isOff(@Nullable String value) {
        return value != null && !bool(value).orElse(true);
    }

    /** Whether this value of {@code tenantry.pool_mode} lets a session keep its connections. */
    public static boolean keepsConnections(@Nullable String poolMode) {
        return KEEPS_CONNECTIONS.equalsIgnoreCase(poolMode);
    }

    /** The value of {@code tenantry.pool_mode} by which connections are shared or not. */
    public static String poolMode(boolean shared) {
        return shared ? SHARES_CONNECTIONS : KEEPS_CONNECTIONS;
    }

    /** What is wrong with a value for a setting, if it is one of our own and can't have it. */
    public static Optional<SqlError> refusal(String setting, String value) {
        return switch (setting) {
            case SHARDING ->
                bool(value).isPresent()
                        ? Optional.empty()
                        : Optional.of(
                                SqlError.error("22023", "parameter \"" + setting + "\" requires a Boolean value"));
            case POOL_MODE ->
                POOL_MODES.contains(value.toLowerCase(Locale.ROOT))
                        ? Optional.empty()
                        : Optional.of(SqlError.error(
                                        "22023", "invalid value for parameter \"" + setting + "\": \"" + value + "\"")
                                .withHint("Available values: " + String.join(", ", POOL_MODES) + "."));
            default -> Optional.empty();
        };
    }

    private static Optional<Boolean> bool(String value) {
        String given = value.toLowerCase(Locale.ROOT);
        boolean on = given.equals("1") || isBeginningOfOne(given, ON);
        boolean off = given.equals("0") || isBeginningOfOne(given, OFF);
        return on == off ? Optional.empty() : Optional.of(on);
    }

    private static boolean isBeginningOfOne(String given, List<String> words) {
        return !given.isEmpty() && words.stream().anyMatch(word -> word.startsWith(given));
    }
}
