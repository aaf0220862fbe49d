package dev.tenantry.sql;

import java.util.List;
import java.util.Optional;

/**
 * What one scan found in one statement. Immutable; shared by every session that runs the same text.
 *
 * <p>The facts say what the text says and what it cannot say; they never resolve a name. A name that the scan takes for
 * a schema may be none, so callers look it up in the catalog and ignore what is not there.
 *
 * @param kind what the statement is
 * @param start where it starts in the scanned text (bytes from the start of the scanned range)
 * @param end where it ends (exclusive, without the separating semicolon)
 * @param schemas the distinct names in schema position of qualified names of relations, functions, types and other
 *     objects, unquoted and folded as PostgreSQL does, {@code pg_catalog} and {@code information_schema} left out; and
 *     those that literals name alone, {@code 'acme'::regnamespace}, unless there are {@code tenantryNames}
 * @param unqualifiedRelation whether a relation is named without a schema (CTE names, catalog relations and table
 *     functions of {@code pg_catalog} are not counted)
 * @param unqualifiedOther whether a function, procedure, type or other object that is not known to be in
 *     {@code pg_catalog} is named without a schema
 * @param readsPath whether the search_path itself is asked for, as the server resolves it ({@code current_schema})
 * @param catalogUse how the statement uses the system catalogs
 * @param globalCatalogOnly whether all catalog relations it names are about things every node shares (namespaces,
 *     roles, databases, settings), so that the coordinator's answer is the complete one
 * @param catalogLiterals for statements with {@link CatalogUse#ONLY}: the distinct string literals that may name a
 *     schema, also unwrapped from {@code ^(name)$} patterns and from the schema part of {@code 'schema.relation'}
 *     literals in regclass-like position, but for those that something is to differ from ({@code nspname <> 'acme'})
 * @param comparedSchemas for statements with {@link CatalogUse#ONLY}: those of its literals and parameters that are
 *     compared with a column of schemas' names
 * @param oidLiteral for statements with {@link CatalogUse#ONLY}: whether an oid-like number is compared, as in the
 *     follow-up queries of psql's describe commands
 * @param parameterMayNameSchema for statements with {@link CatalogUse#ONLY}: whether a {@code $n} parameter is used, so
 *     that its bound value may name a schema
 * @param tenantryNames positions of unqualified (or {@code public}/{@code pg_catalog} qualified) names of Citus's
 *     views and functions that we provide in schema {@code tenantry}; empty for nearly every statement
 * @param rows what it may do to rows beside what its kind tells
 * @param sideEffectFree whether the statement is a read that can be run again elsewhere without anyone noticing: only
 *     catalogs or no relation at all, only functions of {@code pg_catalog} that change nothing
 * @param action what the session itself must do about it; {@link StatementAction.None} for most
 * @param settingCalls {@code set_config('name', value, is_local)} calls of a statement that does nothing else
 * @param traces what the statement itself may leave in the server process when its transaction is over, beside what
 *     {@code action} and {@code settingCalls} tell; what routines of the database do that it calls, it can't say
 */
public record StatementFacts(
        StatementKind kind,
        int start,
        int end,
        List<String> schemas,
        boolean unqualifiedRelation,
        boolean unqualifiedOther,
        boolean readsPath,
        CatalogUse catalogUse,
        boolean globalCatalogOnly,
        List<String> catalogLiterals,
        ComparedSchemas comparedSchemas,
        boolean oidLiteral,
        boolean parameterMayNameSchema,
        List<TenantryName> tenantryNames,
        Rows rows,
        boolean sideEffectFree,
        StatementAction action,
        List<SetConfigCall> settingCalls,
        Traces traces) {

    /** What is known of the statement that EXPLAIN (TENANTRY) is about, if this is one. */
    public Optional<StatementFacts> explained() {
        if (!(action instanceof StatementAction.ExplainRoute(StatementKind ofKind, StatementAction ofAction))) {
            return Optional.empty();
        }
        return Optional.of(new StatementFacts(
                ofKind,
                start,
                end,
                schemas,
                unqualifiedRelation,
                unqualifiedOther,
                readsPath,
                catalogUse,
                globalCatalogOnly,
                catalogLiterals,
                comparedSchemas,
                oidLiteral,
                parameterMayNameSchema,
                tenantryNames,
                rows,
                sideEffectFree,
                ofAction,
                settingCalls,
                traces));
    }

    /** What a statement may do to rows, as far as the text tells; a view can call what it likes. */
    public enum Rows {
        /** Reads them, and does nothing else that its transaction's end could undo or end. */
        READS,
        /** Reads them, and locks some or does something else: {@code FOR UPDATE}, {@code nextval}, COPY. */
        READS_WITH_EFFECT,
        /** Writes in WITH or by INTO, or calls a function that is not known to be PostgreSQL's own. */
        MAY_WRITE
    }

    /**
     * What a statement means for state that lives in a server process and nowhere else.
     *
     * @param possible whether it may leave something there that no other process has: a temporary object, an advisory
     *     lock, a setting that nobody has understood
     * @param changesRoutines whether it may change what other statements do unseen: routines, views, defaults
     * @param usesSequences whether it may take something from a sequence
     * @param readsSequences whether it asks for what {@code nextval} gave earlier ({@code currval}, {@code lastval})
     * @param seeds whether it begins a row of random numbers
     * @param settings the names of settings, in lower case, that it may set to what only the server knows;
     *     {@link #ANY_SETTING} among them for one whose name is not known either
     */
    public record Traces(
            boolean possible,
            boolean changesRoutines,
            boolean usesSequences,
            boolean readsSequences,
            boolean seeds,
            List<String> settings) {
        /** Nothing of the kind; the only such object that facts have. */
        public static final Traces NONE = new Traces(false, false, false, false, false, List.of());

        /** Stands for the name of a setting that is not known. */
        public static final String ANY_SETTING = "";
    }

    /** How a statement uses {@code pg_catalog} and {@code information_schema} relations. */
    public enum CatalogUse {
        /** No catalog relation is named. */
        NONE,
        /** Catalog relations and nothing else. */
        ONLY,
        /** Catalog relations beside others. */
        ALSO
    }

    /**
     * A name of ours in the text, to be replaced by its qualified form.
     *
     * @param start where the (possibly qualified) name starts, bytes from the start of the scanned range
     * @param end where it ends, exclusive
     * @param name the unqualified name, for example {@code citus_schemas}
     */
    public record TenantryName(int start, int end, String name) {}

    /**
     * A call of {@code set_config} with a literal name.
     *
     * @param name the setting's name, in lower case
     * @param value the literal value, or the parameter that holds it
     * @param local whether it ends with the transaction
     */
    public record SetConfigCall(String name, Argument value, boolean local) {

        /** Where the value comes from. */
        public sealed interface Argument {
            /** A string literal. */
            record Literal(String text) implements Argument {}

            /** A bound parameter, {@code number} counted from 1. */
            record Parameter(int number) implements Argument {}

            /** NULL, which is the default. */
            record Null() implements Argument {}

            /** An expression we do not evaluate: of the arguments of EXECUTE only. */
            record Unknown() implements Argument {}
        }
    }
}
