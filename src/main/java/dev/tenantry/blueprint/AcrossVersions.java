package dev.tenantry.blueprint;

import java.util.Arrays;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares definitions that servers of different major versions have told. They show the same query differently, and
 * only from 18 on does NOT NULL have a name and know where it comes from; all else has to be equal.
 */
final class AcrossVersions {

    private static final Pattern NOT_NULL = Pattern.compile("( CONSTRAINT \"([^\"]|\"\")*\")? NOT NULL( NO INHERIT)?");
    /** What is left of statements about nothing else: ADD and the column, or SET. */
    private static final Pattern ABOUT_NOT_NULL =
            Pattern.compile("UPDATE pg_catalog\\.pg_constraint .*|ALTER TABLE ONLY .* (ADD|SET)( \"([^\"]|\"\")*\")?");

    private static final Pattern PARSED_BODY = Pattern.compile("\n(BEGIN ATOMIC|RETURN )");

    private AcrossVersions() {}

    /** Whether two definitions of an object can be of the same. */
    static boolean match(String object, String one, String other) {
        return isShownAsUnderstood(object, one, other) || normal(one).equals(normal(other));
    }

    /** Queries are kept as trees, and each version writes them in its own way. */
    private static boolean isShownAsUnderstood(String object, String one, String other) {
        return Stream.of("view ", "materialized view ", "rule ").anyMatch(object::startsWith)
                || (object.startsWith("function ")
                        && PARSED_BODY.matcher(one).find()
                        && PARSED_BODY.matcher(other).find());
    }

    private static Set<String> normal(String definition) {
        return Arrays.stream(definition.split(";\n", -1))
                .map(statement -> NOT_NULL.matcher(statement).replaceAll(""))
                .filter(statement -> !ABOUT_NOT_NULL.matcher(statement).matches())
                .collect(Collectors.toSet());
    }
}
