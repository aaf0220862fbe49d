package dev.tenantry.sql;

import dev.tenantry.sql.StatementFacts.CatalogUse;
import dev.tenantry.sql.StatementFacts.Rows;
import dev.tenantry.sql.StatementFacts.TenantryName;
import dev.tenantry.sql.StatementFacts.Traces;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What has been found in the statement that is being read; turned into {@link StatementFacts} at its end. Names are
 * given by their tokens: a chain is a name of one or more parts that begins at the lexer's current token.
 */
final class Findings {

    private record Waiting(String name, int flags, int start, int end) {}

    private final Lexer t;
    private final List<String> schemas = new ArrayList<>();
    private final List<String> namespaces = new ArrayList<>();
    private final List<String> commonTables = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final List<TenantryName> tenantryNames = new ArrayList<>();
    private final SettingFindings settings = new SettingFindings();
    private final ValueFindings values;
    private int recursiveLists;
    private boolean unqualifiedRelation;
    private boolean unqualifiedOther;
    private boolean catalogRelation;
    private boolean privateCatalogRelation;
    private boolean effects;
    private boolean writes;
    private boolean path;
    private boolean trace;
    private boolean sequences;
    private boolean readsSequences;
    private boolean seeds;

    Findings(Lexer lexer) {
        t = lexer;
        values = new ValueFindings(lexer);
    }

    void clear() {
        schemas.clear();
        namespaces.clear();
        commonTables.clear();
        waiting.clear();
        tenantryNames.clear();
        settings.clear();
        recursiveLists = 0;
        values.clear();
        unqualifiedRelation = false;
        unqualifiedOther = false;
        catalogRelation = false;
        privateCatalogRelation = false;
        effects = false;
        writes = false;
        path = false;
        trace = false;
        sequences = false;
        readsSequences = false;
        seeds = false;
    }

    // --- names ------------------------------------------------------------------------------------------------------

    /** A relation that is read: CTEs come first. */
    void relation(int parts) {
        if (parts > 1) {
            qualifiedRelation(parts);
        } else if (commonTables.isEmpty() && recursiveLists == 0) {
            unqualifiedRelation(t.flags(0), t.start(0), t.end(0));
        } else {
            String name = t.name(0);
            if (commonTables.contains(name)) {
                return;
            }
            if (recursiveLists > 0) {
                waiting.add(new Waiting(name, t.flags(0), t.start(0), t.end(0)));
            } else {
                unqualifiedRelation(t.flags(0), t.start(0), t.end(0));
            }
        }
    }

    /** A relation that is written, or defined: never a CTE. */
    void target(int parts) {
        effects = true;
        int last = 2 * (parts - 1);
        if ((t.flags(last) & KnownNames.RELATION) != 0 && t.name(last).equals("pg_settings")) {
            settings.found(); // UPDATE of this view is SET ("pg_settings" in "System Views")
        }
        if (parts > 1) {
            qualifiedRelation(parts);
        } else {
            unqualifiedRelation(t.flags(0), t.start(0), t.end(0));
        }
    }

    private void unqualifiedRelation(int flags, int start, int end) {
        if ((flags & KnownNames.TENANTRY) != 0) {
            tenantryNames.add(new TenantryName(start, end, t.word(start, end)));
        } else if ((flags & KnownNames.RELATION) != 0) {
            catalogRelation = true;
            privateCatalogRelation |= (flags & KnownNames.SHARED) == 0;
        } else {
            unqualifiedRelation = true;
        }
    }

    private void qualifiedRelation(int parts) {
        int last = 2 * (parts - 1);
        String schema = t.name(last - 2);
        int flags = t.flags(last);
        if (isOurs(schema, flags)) {
            tenantryNames.add(new TenantryName(t.start(0), t.end(last), t.name(last)));
        } else if (schema.equals("pg_catalog")) {
            catalogRelation = true;
            privateCatalogRelation |= (flags & KnownNames.SHARED) == 0;
        } else if (schema.equals("information_schema")) {
            catalogRelation = true;
            privateCatalogRelation |= (flags & KnownNames.INFORMATION_SHARED) == 0;
        } else {
            schema(schema);
        }
    }

    /** A function that reads the catalogs of its node, as a query of them does. */
    void describedObject() {
        catalogRelation = true;
        privateCatalogRelation = true;
    }

    private static boolean isOurs(String schema, int flags) {
        return (flags & KnownNames.TENANTRY) != 0 && (schema.equals("public") || schema.equals("pg_catalog"));
    }

    /** A function or procedure that is called. */
    void function(int parts) {
        int last = 2 * (parts - 1);
        int flags = t.flags(last);
        word(flags);
        trace |= (flags & KnownNames.TRACE) != 0;
        readsSequences |= (flags & KnownNames.SEQUENCE) != 0;
        sequences |= (flags & (KnownNames.FUNCTION | KnownNames.EFFECT)) != KnownNames.FUNCTION;
        seeds |= (flags & KnownNames.SEED) != 0;
        if ((flags & KnownNames.SETTING) != 0) {
            settings.found();
            effects = true;
        }
        boolean known = (flags & (KnownNames.FUNCTION | KnownNames.EFFECT)) == KnownNames.FUNCTION;
        if (parts == 1) {
            if ((flags & KnownNames.TENANTRY) != 0) {
                tenantryNames.add(new TenantryName(t.start(0), t.end(0), t.name(0)));
            } else if ((flags & KnownNames.FUNCTION) == 0) {
                unqualifiedOther = true;
                writes = true;
            }
            effects |= !known;
            return;
        }
        String schema = t.name(last - 2);
        if (isOurs(schema, flags)) {
            tenantryNames.add(new TenantryName(t.start(0), t.end(last), t.name(last)));
            effects = true;
        } else if (schema.equals("pg_catalog")) {
            effects |= !known;
        } else if (!schema.equals("information_schema")) {
            schema(schema);
            effects = true;
            writes = true;
        }
    }

    /** A name that needs no parentheses to be a function's, as in {@code SELECT current_schema}. */
    void word(int flags) {
        path |= (flags & KnownNames.PATH) != 0;
    }

    /** A type; the keywords that begin a type of the SQL standard are no names. */
    void type(int parts) {
        if (parts > 1) {
            schema(t.name(2 * (parts - 2)));
        } else if ((t.flags(0) & (KnownNames.TYPE | KnownNames.COLUMN_NAME)) == 0
                && !(t.is(0, Keyword.DOUBLE) && t.is(1, Keyword.PRECISION))) {
            unqualifiedOther = true;
        }
    }

    /** Another object that lives in a schema, in a statement that defines or changes it. */
    void object(int parts) {
        effects = true;
        if (parts > 1) {
            schema(t.name(2 * (parts - 2)));
        } else {
            unqualifiedOther = true;
        }
    }

    /** A column: {@code schema.table.column} or {@code database.schema.table.column}. */
    void column(int parts) {
        values.column(2 * (parts - 1));
        if (parts < 3) {
            return;
        }
        int at = parts == 3 ? 0 : 2;
        String schema = t.name(at);
        if (isOurs(schema, t.flags(at + 2))) {
            tenantryNames.add(new TenantryName(t.start(0), t.end(at + 2), t.name(at + 2)));
        } else {
            schema(schema);
        }
    }

    void schema(String name) {
        namespaces.remove(name);
        if (!name.equals("pg_catalog") && !name.equals("information_schema") && !schemas.contains(name)) {
            schemas.add(name);
        }
    }

    /** A schema is named and nothing in it. */
    private void namespace(String name) {
        if (!schemas.contains(name)) {
            schema(name);
            namespaces.add(name);
        }
    }

    void unqualified(Literal object) {
        switch (object) {
            case RELATION -> unqualifiedRelation = true;
            case ROUTINE, TYPE, OTHER -> unqualifiedOther = true;
            case SCHEMA -> {}
        }
    }

    void effect() {
        effects = true;
    }

    /** Rows are written. */
    void writes() {
        effects = true;
        writes = true;
    }

    // --- common table expressions -----------------------------------------------------------------------------------

    int commonTableCount() {
        return commonTables.size();
    }

    void commonTable(String name) {
        commonTables.add(name);
    }

    /** The names from there on are out of scope. */
    void forgetCommonTables(int from) {
        while (commonTables.size() > from) {
            commonTables.removeLast();
        }
    }

    /** Inside WITH RECURSIVE a name may be that of a later table: names wait until the list ends. */
    int beginRecursiveList() {
        recursiveLists++;
        return waiting.size();
    }

    void endRecursiveList(int from) {
        recursiveLists--;
        List<Waiting> here = new ArrayList<>(waiting.subList(from, waiting.size()));
        waiting.subList(from, waiting.size()).clear();
        for (Waiting name : here) {
            if (commonTables.contains(name.name())) {
                continue;
            }
            if (recursiveLists > 0) {
                waiting.add(name);
            } else {
                unqualifiedRelation(name.flags(), name.start(), name.end());
            }
        }
    }

    // --- values -----------------------------------------------------------------------------------------------------

    /** Its literals and parameters. */
    ValueFindings values() {
        return values;
    }

    /** What sets settings, but for SET. */
    SettingFindings settings() {
        return settings;
    }

    /** Something of it may stay in the server process. */
    void trace() {
        trace = true;
    }

    /** What a string literal in name position names. */
    enum Literal {
        RELATION,
        ROUTINE,
        TYPE,
        SCHEMA,
        OTHER
    }

    /** A string literal (the k-th token) that PostgreSQL reads as the name of an object. */
    void nameLiteral(int k, Literal object) {
        String text = t.string(k);
        if (object == Literal.SCHEMA) {
            SearchPath.split(text, '.')
                    .filter(parts -> parts.size() == 1)
                    .ifPresent(parts -> namespace(parts.getFirst()));
            return;
        }
        String bare = switch (object) {
            case ROUTINE, TYPE -> text.indexOf('(') < 0 ? text : text.substring(0, text.indexOf('('));
            case RELATION, OTHER, SCHEMA -> text;
        };
        bare = object == Literal.TYPE ? bare.replace("[]", "") : bare;
        Optional<List<String>> parts = SearchPath.split(bare, '.');
        if (parts.isEmpty() || parts.get().isEmpty()) {
            return;
        }
        List<String> names = parts.get();
        if (names.size() > 1) {
            schema(names.get(names.size() - 2));
        } else if (!isKnown(names.getFirst(), object) && !isNumber(bare)) {
            unqualified(object);
        }
    }

    private static boolean isNumber(String text) {
        return (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) || text.equals("-");
    }

    private static boolean isKnown(String name, Literal object) {
        int flags = KnownNames.get().flags(name);
        return switch (object) {
            case RELATION -> (flags & KnownNames.RELATION) != 0;
            case ROUTINE -> (flags & KnownNames.FUNCTION) != 0;
            case TYPE -> (flags & (KnownNames.TYPE | KnownNames.COLUMN_NAME)) != 0 || name.equals("double");
            case SCHEMA, OTHER -> false;
        };
    }

    // --- the end ----------------------------------------------------------------------------------------------------

    StatementFacts facts(StatementKind kind, int start, int end, StatementAction action) {
        if (!tenantryNames.isEmpty()) {
            schemas.removeAll(namespaces); // the coordinator, which has our views, has every schema's name
        }
        CatalogUse use = !catalogRelation
                ? CatalogUse.NONE
                : schemas.isEmpty() && !unqualifiedRelation && !unqualifiedOther ? CatalogUse.ONLY : CatalogUse.ALSO;
        boolean only = use == CatalogUse.ONLY;
        CatalogLiterals found = only ? values.found() : CatalogLiterals.NONE;
        boolean readable = switch (kind) {
            case SELECT, VALUES, TABLE, SHOW -> true;
            default -> false;
        };
        boolean sideEffectFree = readable
                && !effects
                && use != CatalogUse.ALSO
                && !unqualifiedRelation
                && schemas.isEmpty()
                && tenantryNames.isEmpty();
        return new StatementFacts(
                kind,
                start,
                end,
                List.copyOf(schemas),
                unqualifiedRelation,
                unqualifiedOther,
                path,
                use,
                only && !privateCatalogRelation,
                found.names(),
                found.compared(),
                found.oid(),
                only && values.hasParameter(),
                List.copyOf(tenantryNames),
                writes ? Rows.MAY_WRITE : effects ? Rows.READS_WITH_EFFECT : Rows.READS,
                sideEffectFree,
                action,
                settings.certain(),
                traces(kind, action));
    }

    private Traces traces(StatementKind kind, StatementAction action) {
        boolean possible = trace || settings.mayStay() || mayLeaveTraces(kind, action);
        for (String schema : schemas) {
            possible |= schema.startsWith("pg_temp");
        }
        boolean seed = settings.sets("seed")
                || action instanceof StatementAction.SetVariable set
                        && set.name().equals("seed");
        boolean uses = sequences || mayUseSequences(kind);
        boolean changes = mayChangeRoutines(kind);
        boolean any = possible || changes || uses || seeds || seed || settings.any();
        return any
                ? new Traces(possible, changes, uses, readsSequences, seeds || seed, settings.uncertain())
                : Traces.NONE;
    }

    private static boolean mayUseSequences(StatementKind kind) {
        return switch (kind) {
            case INSERT, UPDATE, DELETE, MERGE, COPY_FROM, CALL, DO, DDL, EXECUTE, EXPLAIN, CREATE_SCHEMA, UNKNOWN ->
                true;
            default -> false;
        };
    }

    private static boolean mayChangeRoutines(StatementKind kind) {
        return switch (kind) {
            case DDL, DO, CREATE_SCHEMA, GLOBAL_DDL, UNKNOWN -> true;
            default -> false;
        };
    }

    private static boolean mayLeaveTraces(StatementKind kind, StatementAction action) {
        return switch (kind) {
            case EMPTY,
                    SELECT,
                    VALUES,
                    TABLE,
                    INSERT,
                    UPDATE,
                    DELETE,
                    MERGE,
                    COPY_FROM,
                    COPY_TO,
                    CALL,
                    SHOW,
                    BEGIN,
                    COMMIT,
                    ROLLBACK,
                    SAVEPOINT,
                    RELEASE,
                    ROLLBACK_TO,
                    SET_TRANSACTION,
                    SET_CONSTRAINTS,
                    PREPARE_TRANSACTION,
                    COMMIT_PREPARED,
                    ROLLBACK_PREPARED,
                    FETCH,
                    CLOSE,
                    NOTIFY,
                    LOCK,
                    VACUUM,
                    ANALYZE -> false;
            // What the session's model has understood it brings along itself.
            case SET, RESET, PREPARE, EXECUTE, DEALLOCATE, DISCARD -> action instanceof StatementAction.None;
            case EXPLAIN,
                    DO,
                    DDL,
                    CREATE_SCHEMA,
                    DROP_SCHEMA,
                    ALTER_SCHEMA,
                    ON_SCHEMA,
                    GLOBAL_DDL,
                    SERVER,
                    DECLARE,
                    LISTEN,
                    UNLISTEN,
                    UNKNOWN -> true;
        };
    }
}
