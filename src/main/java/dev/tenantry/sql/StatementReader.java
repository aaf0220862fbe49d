package dev.tenantry.sql;

import dev.tenantry.sql.StatementAction.DeclareCursor;
import dev.tenantry.sql.StatementAction.EveryNode;
import dev.tenantry.sql.StatementAction.Execute;
import dev.tenantry.sql.StatementAction.ExplainRoute;
import dev.tenantry.sql.StatementAction.PasswordLiteral;
import dev.tenantry.sql.StatementAction.PlacedExtension;
import dev.tenantry.sql.StatementAction.Prepare;
import dev.tenantry.sql.StatementAction.SharedInBlock;
import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads one statement: tells its kind by its first words, and hands it to whoever knows that kind. */
final class StatementReader {

    private static final int ARGUMENT_LENGTH_MAX = 1024;

    private final Lexer t;
    private final Findings f;
    private final QueryWalker queries;
    private final Definitions definitions;
    private final ControlStatements control;
    private final SettingStatements settings;
    private final SchemaStatements schemas;
    private StatementAction action = ControlStatements.NONE;

    StatementReader(Lexer lexer, Findings findings) {
        t = lexer;
        f = findings;
        queries = new QueryWalker(lexer, findings);
        definitions = new Definitions(lexer, findings, queries);
        control = new ControlStatements(lexer);
        settings = new SettingStatements(lexer, control);
        schemas = new SchemaStatements(lexer);
    }

    /** What the statement that was read asks of the session. */
    StatementAction action() {
        return action;
    }

    /** Reads the statement that begins at the current token, up to its end or as far as anyone cares. */
    StatementKind read() {
        action = ControlStatements.NONE;
        int at = 0;
        while (t.type(at) == Lexer.OPEN && at < Lexer.LOOK_AHEAD_MAX - 1) {
            at++;
        }
        Keyword first = t.keyword(at);
        if (at > 0) {
            return switch (first) {
                case SELECT, WITH, VALUES, TABLE -> query(StatementKind.SELECT);
                default -> at < Lexer.LOOK_AHEAD_MAX - 1 ? other(StatementKind.UNKNOWN) : query(StatementKind.SELECT);
            };
        }
        return switch (first) {
            case SELECT -> query(StatementKind.SELECT);
            case VALUES -> query(StatementKind.VALUES);
            case TABLE -> query(StatementKind.TABLE);
            case INSERT -> query(StatementKind.INSERT);
            case UPDATE -> query(StatementKind.UPDATE);
            case DELETE -> query(StatementKind.DELETE);
            case MERGE -> query(StatementKind.MERGE);
            case WITH -> with();
            case EXPLAIN -> explain();
            case BEGIN -> acted(StatementKind.BEGIN, control.begin());
            case START ->
                t.is(1, Keyword.TRANSACTION)
                        ? acted(StatementKind.BEGIN, control.begin())
                        : other(StatementKind.UNKNOWN);
            case COMMIT, END -> commit(first);
            case ROLLBACK, ABORT -> rollback(first);
            case SAVEPOINT -> acted(StatementKind.SAVEPOINT, control.savepoint());
            case RELEASE -> acted(StatementKind.RELEASE, control.release());
            case SET -> set();
            case RESET -> acted(StatementKind.RESET, settings.reset());
            case SHOW -> show();
            case PREPARE -> prepare();
            case EXECUTE -> execute();
            case DEALLOCATE -> acted(StatementKind.DEALLOCATE, control.deallocate());
            case DISCARD -> acted(StatementKind.DISCARD, control.discard());
            case DECLARE -> declare();
            case FETCH, MOVE -> cursor(StatementKind.FETCH, control.fetch());
            case CLOSE -> cursor(StatementKind.CLOSE, control.close());
            case LISTEN -> other(StatementKind.LISTEN);
            case UNLISTEN -> other(StatementKind.UNLISTEN);
            case NOTIFY -> other(StatementKind.NOTIFY);
            case CHECKPOINT, LOAD -> other(StatementKind.SERVER);
            default -> object(first);
        };
    }

    private StatementKind object(Keyword first) {
        return switch (first) {
            case COPY -> definitions.copy();
            case CALL -> call();
            case DO -> doBlock();
            case LOCK -> definitions.lock();
            case VACUUM -> definitions.maintain(StatementKind.VACUUM);
            case ANALYZE, ANALYSE -> definitions.maintain(StatementKind.ANALYZE);
            case CREATE,
                    ALTER,
                    DROP,
                    COMMENT,
                    SECURITY,
                    GRANT,
                    REVOKE,
                    REASSIGN,
                    TRUNCATE,
                    REINDEX,
                    CLUSTER,
                    REFRESH,
                    IMPORT -> define(first);
            default -> other(StatementKind.UNKNOWN);
        };
    }

    private StatementKind acted(StatementKind kind, StatementAction understood) {
        action = understood;
        return kind;
    }

    private StatementKind cursor(StatementKind kind, StatementAction understood) {
        f.effect();
        return acted(kind, understood);
    }

    private StatementKind other(StatementKind kind) {
        f.effect();
        return kind;
    }

    private StatementKind doBlock() {
        String shared = DoBody.sharedDdl(t);
        if (shared != null) {
            action = new SharedInBlock(shared);
        }
        return other(StatementKind.DO);
    }

    private StatementKind query(StatementKind kind) {
        queries.run(Levels.QUERY);
        return kind;
    }

    /** WITH: the kind is that of the statement after the list. */
    private StatementKind with() {
        queries.run(Levels.QUERY);
        return switch (queries.mainVerb()) {
            case INSERT -> StatementKind.INSERT;
            case UPDATE -> StatementKind.UPDATE;
            case DELETE -> StatementKind.DELETE;
            case MERGE -> StatementKind.MERGE;
            default -> StatementKind.SELECT;
        };
    }

    private StatementKind explain() {
        t.advance();
        if (isOurOption() && t.type(3) != Lexer.END) {
            t.advance(3);
            StatementKind explained = read();
            return acted(StatementKind.EXPLAIN, new ExplainRoute(explained, action));
        }
        boolean analyze = false;
        if (t.type(0) == Lexer.OPEN && !isQueryStart(1)) {
            int depth = 0;
            do {
                depth += t.type(0) == Lexer.OPEN ? 1 : t.type(0) == Lexer.CLOSE ? -1 : 0;
                analyze |= t.is(0, Keyword.ANALYZE) || t.is(0, Keyword.ANALYSE);
                t.advance();
            } while (depth > 0 && t.type(0) != Lexer.END);
        } else {
            while (t.is(0, Keyword.ANALYZE) || t.is(0, Keyword.ANALYSE) || t.is(0, Keyword.VERBOSE)) {
                analyze |= !t.is(0, Keyword.VERBOSE);
                t.advance();
            }
        }
        if (analyze) {
            f.effect();
        }
        read();
        action = action instanceof Execute ? action : ControlStatements.NONE;
        return StatementKind.EXPLAIN;
    }

    private boolean isOurOption() {
        return t.type(0) == Lexer.OPEN && t.isName(1) && t.name(1).equals("tenantry") && t.type(2) == Lexer.CLOSE;
    }

    private boolean isQueryStart(int k) {
        return switch (t.keyword(k)) {
            case SELECT, WITH, VALUES, TABLE -> true;
            default -> t.type(k) == Lexer.OPEN;
        };
    }

    private StatementKind commit(Keyword first) {
        if (first == Keyword.COMMIT && t.is(1, Keyword.PREPARED)) {
            f.effect();
            return acted(StatementKind.COMMIT_PREPARED, control.finishPrepared());
        }
        return acted(StatementKind.COMMIT, control.commit());
    }

    private StatementKind rollback(Keyword first) {
        if (first == Keyword.ROLLBACK && t.is(1, Keyword.PREPARED)) {
            f.effect();
            return acted(StatementKind.ROLLBACK_PREPARED, control.finishPrepared());
        }
        boolean work = t.is(1, Keyword.WORK) || t.is(1, Keyword.TRANSACTION);
        boolean to = first == Keyword.ROLLBACK && t.is(work ? 2 : 1, Keyword.TO);
        return acted(to ? StatementKind.ROLLBACK_TO : StatementKind.ROLLBACK, control.rollback());
    }

    private StatementKind set() {
        t.advance();
        boolean local = t.is(0, Keyword.LOCAL);
        boolean assigned = t.isOperator(1, '=') || t.is(1, Keyword.TO) || t.type(1) == Lexer.DOT;
        boolean session =
                t.is(0, Keyword.SESSION) && !t.is(1, Keyword.AUTHORIZATION) && !t.is(1, Keyword.CHARACTERISTICS);
        if (!assigned && (local || session)) {
            t.advance();
        }
        boolean named = t.isOperator(1, '=') || t.is(1, Keyword.TO) || t.type(1) == Lexer.DOT;
        if (!named && t.is(0, Keyword.CONSTRAINTS)) {
            return acted(
                    StatementKind.SET_CONSTRAINTS,
                    definitions.setConstraints() ? ControlStatements.ALL_CONSTRAINTS : ControlStatements.NONE);
        }
        if (!named && t.is(0, Keyword.TRANSACTION)) {
            return acted(StatementKind.SET_TRANSACTION, control.setTransaction());
        }
        return acted(StatementKind.SET, settings.set(local && !assigned));
    }

    private StatementKind show() {
        f.effect();
        return acted(StatementKind.SHOW, settings.show());
    }

    private StatementKind prepare() {
        if (t.is(1, Keyword.TRANSACTION) && t.type(2) == Lexer.STRING) {
            f.effect();
            return acted(StatementKind.PREPARE_TRANSACTION, control.prepareTransaction());
        }
        t.advance();
        f.effect();
        if (!t.isName(0)) {
            return StatementKind.PREPARE;
        }
        Prepare prepare = new Prepare(t.name(0));
        t.advance();
        if (t.type(0) == Lexer.OPEN) {
            definitions.typeList();
        }
        if (t.is(0, Keyword.AS)) {
            t.advance();
            queries.run(Levels.QUERY);
            action = prepare;
        }
        return StatementKind.PREPARE;
    }

    private StatementKind execute() {
        t.advance();
        f.effect();
        if (t.isName(0)) {
            String name = t.name(0);
            t.advance();
            action = new Execute(name, arguments());
            queries.run(Levels.EXPRESSION);
        }
        return StatementKind.EXECUTE;
    }

    /** The first arguments of EXECUTE, each of one token, without reading them. */
    private List<Argument> arguments() {
        List<Argument> found = new ArrayList<>();
        boolean more = t.type(0) == Lexer.OPEN;
        for (int at = 1; more && at + 1 < Lexer.LOOK_AHEAD_MAX; at += 2) {
            byte after = t.type(at + 1);
            if (after == Lexer.COMMA || after == Lexer.CLOSE) {
                boolean text = t.type(at) == Lexer.STRING && t.end(at) - t.start(at) <= ARGUMENT_LENGTH_MAX;
                Argument other = t.keyword(at) == Keyword.NULL ? new Argument.Null() : new Argument.Unknown();
                found.add(text ? new Argument.Literal(t.string(at)) : other);
            }
            more = after == Lexer.COMMA;
        }
        return found.isEmpty() ? List.of() : List.copyOf(found);
    }

    private StatementKind declare() {
        f.effect();
        t.advance();
        if (t.isName(0)) {
            action = new DeclareCursor(t.name(0));
            t.advance();
        }
        while (t.type(0) != Lexer.END && !t.is(0, Keyword.FOR)) {
            t.advance();
        }
        t.advance();
        queries.run(Levels.QUERY);
        return StatementKind.DECLARE;
    }

    private StatementKind call() {
        t.advance();
        f.effect();
        queries.run(Levels.EXPRESSION);
        return StatementKind.CALL;
    }

    private StatementKind define(Keyword first) {
        f.effect();
        StatementKind kind = DefinitionKinds.of(t);
        switch (kind) {
            case CREATE_SCHEMA -> {
                t.advance(2);
                action = schemas.create();
                definitions.schemaElements();
            }
            case DROP_SCHEMA -> {
                t.advance(2);
                action = schemas.drop();
            }
            case ALTER_SCHEMA -> {
                t.advance(2);
                action = schemas.alter();
            }
            case ON_SCHEMA -> onSchema(first);
            case GLOBAL_DDL -> action = everyNode();
            case SERVER -> {}
            default -> {
                definitions.read(first);
                String executed = definitions.executed();
                if (executed != null) {
                    action = new Execute(executed, List.of());
                }
            }
        }
        return kind;
    }

    private void onSchema(Keyword first) {
        while (!t.is(0, Keyword.SCHEMA) && t.type(0) != Lexer.END) {
            t.advance();
        }
        t.advance();
        boolean privileges = first == Keyword.GRANT || first == Keyword.REVOKE;
        action = privileges ? schemas.privileges() : schemas.describe();
    }

    private EveryNode everyNode() {
        boolean seen = t.is(1, Keyword.EXTENSION) || t.is(1, Keyword.OWNED);
        if (t.is(0, Keyword.CREATE) && seen) {
            t.advance(2);
            return new EveryNode(Optional.empty(), newExtension(), seen);
        }
        if (t.is(0, Keyword.ALTER) && t.is(1, Keyword.EXTENSION)) {
            t.advance(2);
            return new EveryNode(Optional.empty(), movedExtension(), seen);
        }
        while (t.type(0) != Lexer.END) {
            if (t.is(0, Keyword.PASSWORD) && t.type(1) == Lexer.STRING) {
                return new EveryNode(
                        Optional.of(new PasswordLiteral(t.start(1), t.end(1), t.string(1))), Optional.empty(), seen);
            }
            t.advance();
        }
        return new EveryNode(Optional.empty(), Optional.empty(), seen);
    }

    private Optional<PlacedExtension> newExtension() {
        boolean ifNotExists = t.is(0, Keyword.IF) && t.is(1, Keyword.NOT) && t.is(2, Keyword.EXISTS);
        t.advance(ifNotExists ? 3 : 0);
        if (!t.isName(0)) {
            return Optional.empty();
        }
        String name = t.name(0);
        while (t.type(0) != Lexer.END && !t.is(0, Keyword.SCHEMA)) {
            t.advance();
        }
        Optional<String> schema = t.isName(1) ? Optional.of(t.name(1)) : Optional.empty();
        return Optional.of(new PlacedExtension(name, true, schema));
    }

    private Optional<PlacedExtension> movedExtension() {
        if (!t.isName(0) || !t.is(1, Keyword.SET) || !t.is(2, Keyword.SCHEMA) || !t.isName(3)) {
            return Optional.empty();
        }
        return Optional.of(new PlacedExtension(t.name(0), false, Optional.of(t.name(3))));
    }
}
