package dev.tenantry.sql;

import dev.tenantry.sql.StatementAction.Begin;
import dev.tenantry.sql.StatementAction.Commit;
import dev.tenantry.sql.StatementAction.Deallocate;
import dev.tenantry.sql.StatementAction.Discard;
import dev.tenantry.sql.StatementAction.FinishPrepared;
import dev.tenantry.sql.StatementAction.None;
import dev.tenantry.sql.StatementAction.OnCursor;
import dev.tenantry.sql.StatementAction.PrepareTransaction;
import dev.tenantry.sql.StatementAction.Release;
import dev.tenantry.sql.StatementAction.Rollback;
import dev.tenantry.sql.StatementAction.RollbackTo;
import dev.tenantry.sql.StatementAction.Savepoint;
import dev.tenantry.sql.StatementAction.SetTransaction;
import dev.tenantry.sql.StatementAction.SetVariable;
import dev.tenantry.sql.StatementAction.SettingValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Transaction control and prepared statements; an action only when the statement is understood to its last token. */
final class ControlStatements {

    static final None NONE = new None();

    /** SET CONSTRAINTS ALL, which lasts to the end of the transaction on every node, as a setting does. */
    static final SetVariable ALL_CONSTRAINTS =
            new SetVariable(SetVariable.CONSTRAINTS, true, new SettingValue.StatementOnly());

    private static final Begin BEGIN = new Begin(false, List.of());
    private static final Begin START = new Begin(true, List.of());
    private static final Commit COMMIT = new Commit(false);
    private static final Rollback ROLLBACK = new Rollback(false);

    private final Lexer t;

    ControlStatements(Lexer lexer) {
        t = lexer;
    }

    /** BEGIN or START TRANSACTION, its first word not yet read. */
    StatementAction begin() {
        boolean start = t.is(0, Keyword.START);
        t.advance();
        if (start && !t.is(0, Keyword.TRANSACTION)) {
            return NONE;
        }
        transactionWord();
        List<SetVariable> modes = new ArrayList<>();
        if (!transactionModes(mode(modes)) || !atEnd()) {
            return NONE;
        }
        return modes.isEmpty() ? start ? START : BEGIN : new Begin(start, List.copyOf(modes));
    }

    /** SET TRANSACTION, its last word not yet read; one with a snapshot is no action. */
    StatementAction setTransaction() {
        t.advance();
        List<SetVariable> modes = new ArrayList<>();
        boolean formed = transactionModes(mode(modes)) && atEnd() && !modes.isEmpty();
        return formed ? new SetTransaction(List.copyOf(modes)) : NONE;
    }

    private static Mode mode(List<SetVariable> modes) {
        return (name, value) -> modes.add(new SetVariable(name, true, new SettingValue.Text(value)));
    }

    /** COMMIT or END. */
    StatementAction commit() {
        t.advance();
        transactionWord();
        return switch (chain()) {
            case NOT_CHAINED -> COMMIT;
            case CHAINED -> new Commit(true);
            case NOT_UNDERSTOOD -> NONE;
        };
    }

    /** ROLLBACK or ABORT, also TO a savepoint. */
    StatementAction rollback() {
        boolean abort = t.is(0, Keyword.ABORT);
        t.advance();
        transactionWord();
        if (!abort && t.is(0, Keyword.TO)) {
            t.advance();
            if (t.is(0, Keyword.SAVEPOINT) && t.isName(1)) {
                t.advance();
            }
            return name() instanceof String name && atEnd() ? new RollbackTo(name) : NONE;
        }
        return switch (chain()) {
            case NOT_CHAINED -> ROLLBACK;
            case CHAINED -> new Rollback(true);
            case NOT_UNDERSTOOD -> NONE;
        };
    }

    /** PREPARE TRANSACTION. */
    StatementAction prepareTransaction() {
        t.advance(2);
        return gid() instanceof String gid && atEnd() ? new PrepareTransaction(gid) : NONE;
    }

    /** COMMIT PREPARED or ROLLBACK PREPARED. */
    StatementAction finishPrepared() {
        t.advance(2);
        return gid() instanceof String gid && atEnd() ? new FinishPrepared(gid) : NONE;
    }

    StatementAction savepoint() {
        t.advance();
        return name() instanceof String name && atEnd() ? new Savepoint(name) : NONE;
    }

    StatementAction release() {
        t.advance();
        if (t.is(0, Keyword.SAVEPOINT) && t.isName(1)) {
            t.advance();
        }
        return name() instanceof String name && atEnd() ? new Release(name) : NONE;
    }

    StatementAction deallocate() {
        t.advance();
        if (t.is(0, Keyword.PREPARE) && t.type(1) != Lexer.END) {
            t.advance();
        }
        if (t.is(0, Keyword.ALL)) {
            t.advance();
            return atEnd() ? new Deallocate(Optional.empty()) : NONE;
        }
        return name() instanceof String name && atEnd() ? new Deallocate(Optional.of(name)) : NONE;
    }

    /** FETCH or MOVE: whatever comes before, the cursor's name is the last word. */
    StatementAction fetch() {
        t.advance();
        String last = null;
        while (!atEnd()) {
            last = t.isName(0) ? t.name(0) : null;
            t.advance();
        }
        return last == null ? NONE : new OnCursor(Optional.of(last));
    }

    StatementAction close() {
        t.advance();
        if (t.is(0, Keyword.ALL)) {
            t.advance();
            return atEnd() ? new OnCursor(Optional.empty()) : NONE;
        }
        return name() instanceof String name && atEnd() ? new OnCursor(Optional.of(name)) : NONE;
    }

    StatementAction discard() {
        t.advance();
        Keyword keyword = t.keyword(0);
        t.advance();
        if (!atEnd()) {
            return NONE;
        }
        return switch (keyword) {
            case ALL -> new Discard(Discard.Target.ALL);
            case PLANS -> new Discard(Discard.Target.PLANS);
            case SEQUENCES -> new Discard(Discard.Target.SEQUENCES);
            case TEMP, TEMPORARY -> new Discard(Discard.Target.TEMP);
            default -> NONE;
        };
    }

    /** A mode that was read, as the setting it changes and its value. */
    interface Mode {
        void is(String name, String value);
    }

    /** Transaction modes, separated by commas or by nothing; false when one is not well formed. */
    boolean transactionModes(Mode mode) {
        boolean expected = false;
        while (true) {
            switch (t.keyword(0)) {
                case ISOLATION -> {
                    String level = isolation();
                    if (level.isEmpty()) {
                        return false;
                    }
                    mode.is("transaction_isolation", level);
                }
                case READ -> {
                    if (!t.is(1, Keyword.ONLY) && !t.is(1, Keyword.WRITE)) {
                        return false;
                    }
                    mode.is("transaction_read_only", t.is(1, Keyword.ONLY) ? "on" : "off");
                    t.advance(2);
                }
                case DEFERRABLE -> {
                    mode.is("transaction_deferrable", "on");
                    t.advance();
                }
                case NOT -> {
                    if (!t.is(1, Keyword.DEFERRABLE)) {
                        return false;
                    }
                    mode.is("transaction_deferrable", "off");
                    t.advance(2);
                }
                default -> {
                    return !expected;
                }
            }
            expected = t.type(0) == Lexer.COMMA;
            if (expected) {
                t.advance();
            }
        }
    }

    /** The level after ISOLATION LEVEL; empty when there is none. */
    private String isolation() {
        if (!t.is(1, Keyword.LEVEL)) {
            return "";
        }
        t.advance(2);
        Keyword first = t.keyword(0);
        Keyword second = t.keyword(1);
        t.advance(first == Keyword.SERIALIZABLE ? 1 : 2);
        return switch (first) {
            case SERIALIZABLE -> "serializable";
            case REPEATABLE -> second == Keyword.READ ? "repeatable read" : "";
            case READ ->
                second == Keyword.COMMITTED
                        ? "read committed"
                        : second == Keyword.UNCOMMITTED ? "read uncommitted" : "";
            default -> "";
        };
    }

    private void transactionWord() {
        if (t.is(0, Keyword.WORK) || t.is(0, Keyword.TRANSACTION)) {
            t.advance();
        }
    }

    private enum Chain {
        CHAINED,
        NOT_CHAINED,
        NOT_UNDERSTOOD
    }

    private Chain chain() {
        boolean chained = false;
        if (t.is(0, Keyword.AND)) {
            t.advance();
            chained = !t.is(0, Keyword.NO);
            if (!chained) {
                t.advance();
            }
            if (!t.is(0, Keyword.CHAIN)) {
                return Chain.NOT_UNDERSTOOD;
            }
            t.advance();
        }
        return !atEnd() ? Chain.NOT_UNDERSTOOD : chained ? Chain.CHAINED : Chain.NOT_CHAINED;
    }

    private Object name() {
        if (!t.isName(0)) {
            return NONE;
        }
        String name = t.name(0);
        t.advance();
        return name;
    }

    private Object gid() {
        if (t.type(0) != Lexer.STRING) {
            return NONE;
        }
        String gid = t.string(0);
        t.advance();
        return gid;
    }

    private boolean atEnd() {
        return t.type(0) == Lexer.END;
    }
}
