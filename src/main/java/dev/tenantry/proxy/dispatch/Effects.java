package dev.tenantry.proxy.dispatch;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.PreparedStatements;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import dev.tenantry.sql.StatementKind;
import dev.tenantry.wire.ClientEncoding;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a confirmed statement changes in the session's model. Pure over the session's own objects; lives on the client's
 * event loop.
 */
public final class Effects {

    /**
     * A statement whose success changes the model.
     *
     * @param facts what it is
     * @param parameters what was bound to it
     * @param text its own text
     */
    public record Confirmed(StatementFacts facts, BoundParameters parameters, String text) {}

    private static final String AUTHORIZATION = "session_authorization";

    private final SessionSettings settings;
    private final TransactionScope transaction;
    private final PreparedStatements statements;
    private final CatalogOverlay catalog;
    /** What the last statement has set, for all that is known, to a value that can't be read. */
    private final Set<String> unread = new HashSet<>();

    public Effects(
            SessionSettings settings,
            TransactionScope transaction,
            PreparedStatements statements,
            CatalogOverlay catalog) {
        this.settings = settings;
        this.transaction = transaction;
        this.statements = statements;
        this.catalog = catalog;
    }

    /** The server has confirmed the statement with this command tag. */
    public void confirmed(Confirmed confirmed, String tag) {
        StatementFacts facts = confirmed.facts();
        BoundParameters parameters = confirmed.parameters();
        String text = confirmed.text();
        if (!(facts.action() instanceof StatementAction.Prepare)) { // of which EXECUTE runs them
            facts.settingCalls().forEach(call -> setConfig(call, parameters));
        }
        switch (facts.action()) {
            case StatementAction.SetVariable set -> set(set, text);
            case StatementAction.ResetVariable reset -> reset(reset);
            case StatementAction.ResetAll() -> settings.resetAll();
            case StatementAction.SessionCharacteristics modes ->
                modes.settings().forEach(set -> set(set, null));
            case StatementAction.Begin begin -> settings.begin(begin.modes());
            case StatementAction.SetTransaction modes -> settings.begin(modes.modes());
            case StatementAction.Commit commit -> ended(tag, commit.chain());
            case StatementAction.Rollback rollback -> ended(tag, rollback.chain());
            case StatementAction.PrepareTransaction _ -> ended(tag, false); // with ROLLBACK for a block that had failed
            case StatementAction.Savepoint savepoint -> {
                settings.savepoint(savepoint.name());
                catalog.savepoint(savepoint.name());
                transaction.savepoint(new TransactionScope.Savepoint(savepoint.name(), text, settings.current()));
            }
            case StatementAction.Release release -> {
                settings.release(release.name());
                catalog.release(release.name());
                transaction.release(release.name());
            }
            case StatementAction.RollbackTo rollbackTo -> {
                settings.rollbackTo(rollbackTo.name());
                catalog.rollbackTo(rollbackTo.name());
                transaction.rolledBackTo(rollbackTo.name());
            }
            case StatementAction.Prepare prepare -> {
                statements.addSql(settings.onWire(prepare.name()), text.getBytes(StandardCharsets.ISO_8859_1), facts);
            }
            case StatementAction.Execute execute -> executed(execute, facts.kind() == StatementKind.EXECUTE);
            case StatementAction.Deallocate deallocate ->
                deallocate.name().map(settings::onWire).ifPresentOrElse(statements::remove, statements::clear);
            case StatementAction.Discard discard -> discard(discard.target());
            case StatementAction.None _,
                    StatementAction.DeclareCursor _,
                    StatementAction.OnCursor _,
                    StatementAction.CreateSchema _,
                    StatementAction.DropSchema _,
                    StatementAction.RenameSchema _,
                    StatementAction.AlterSchemaOwner _,
                    StatementAction.OnSchemas _,
                    StatementAction.EveryNode _,
                    StatementAction.SharedInBlock _,
                    StatementAction.FinishPrepared _,
                    StatementAction.ShowActivity _,
                    StatementAction.ExplainRoute _ -> {
                // changes nothing here: settings calls only, or carried out by the session itself
            }
        }
    }

    /** The same, where the backend that has confirmed it is concerned as well. */
    public void confirmedOn(BackendConnection backend, Confirmed confirmed, String tag) {
        confirmed(confirmed, tag);
        if (!unread.isEmpty()) {
            backend.trace(unread);
            unread.clear();
        }
        StatementAction action = confirmed.facts().action();
        if (action instanceof StatementAction.Begin && !transaction.isOpen()) {
            backend.noteStatus((byte) 'T'); // behind the ROLLBACK of a failed block it would say so only after Sync
            transaction.openedOn(backend, settings.current());
        }
        if (!transaction.isOpen()) {
            noteReset(action, backend);
        }
        PreparedOnBackend.confirmed(action, backend, statements, settings::onWire);
        if (!transaction.isOpen()) {
            return; // it has not ended: the label tells what it ends with
        }
        backend.openLabel(settings.current());
        if (action instanceof StatementAction.Commit || action instanceof StatementAction.Rollback) {
            backend.label(settings.committed()); // the next block has begun with it
        }
    }

    /** Outside a block, whose end might undo it, a statement has taken settings back to what they began with. */
    public static void noteReset(StatementAction action, BackendConnection backend) {
        switch (action) {
            case StatementAction.ResetAll() -> backend.unread().reset(SessionSettings.IDENTITY);
            case StatementAction.Discard(StatementAction.Discard.Target target)
            when target == StatementAction.Discard.Target.ALL ->
                backend.unread().reset(Set.of());
            case StatementAction.ResetVariable(String name, boolean local)
            when !local -> backend.unread().read(name);
            default -> {
                // takes nothing back
            }
        }
    }

    /**
     * The calls of set_config in the prepared statement that EXECUTE has run.
     *
     * @param certain whether it has: EXPLAIN or CREATE TABLE AS of it may not
     */
    private void executed(StatementAction.Execute execute, boolean certain) {
        Prepared prepared = statements.get(settings.onWire(execute.name()));
        StatementFacts facts = prepared == null ? null : prepared.facts();
        if (facts == null || facts.settingCalls().isEmpty()) {
            return;
        }
        if (!certain) {
            facts.settingCalls().forEach(call -> unread.add(call.name()));
            return;
        }
        List<@Nullable String> values = new ArrayList<>();
        for (Argument argument : execute.arguments()) {
            values.add(
                    switch (argument) {
                        case Argument.Literal(String text) -> text;
                        case Argument.Null() -> null;
                        case Argument.Parameter _, Argument.Unknown _ -> BoundParameters.UNKNOWN;
                    });
        }
        BoundParameters parameters = new BoundParameters(values);
        facts.settingCalls().forEach(call -> setConfig(call, parameters));
    }

    private void set(StatementAction.SetVariable set, @Nullable String text) {
        switch (set.value()) {
            case StatementAction.SettingValue.Text value ->
                set(set.name(), new SessionSettings.Value(value.text(), null), set.local());
            case StatementAction.SettingValue.StatementOnly() ->
                set(set.name(), new SessionSettings.Value(null, text), set.local());
        }
    }

    private void set(String name, SessionSettings.Value value, boolean local) {
        settings.set(name, value, local);
        if (name.equals(AUTHORIZATION)) {
            forgetRole(local);
        }
    }

    /** A new session user starts without a role of its own ("SET SESSION AUTHORIZATION" in "SQL Commands"). */
    private void forgetRole(boolean local) {
        String role = settings.effective("role");
        if (role != null && !role.equals("none")) {
            settings.set("role", new SessionSettings.Value("none", null), local);
        }
    }

    private void reset(StatementAction.ResetVariable reset) {
        if (reset.local()) {
            settings.set(reset.name(), SessionSettings.Value.DEFAULT, true);
        } else {
            settings.reset(reset.name());
        }
        if (reset.name().equals(AUTHORIZATION)) {
            forgetRole(reset.local());
        }
    }

    private void setConfig(SetConfigCall call, BoundParameters parameters) {
        String name = call.name();
        boolean local = call.local();
        Argument value =
                call.value() instanceof Argument.Parameter(int number) ? bound(parameters, number) : call.value();
        boolean safe = !name.equals(ClientEncoding.SETTING)
                || value instanceof Argument.Literal(String encoding) && ClientEncoding.isSafe(encoding);
        if (value instanceof Argument.Literal(String text) && safe) {
            set(name, new SessionSettings.Value(text, null), local);
        } else if (value instanceof Argument.Null && !settings.hasBegunWith(name)) {
            reset(new StatementAction.ResetVariable(name, local));
        } else if (!local) {
            unread.add(name);
        }
    }

    private static Argument bound(BoundParameters parameters, int number) {
        String text = parameters.text(number);
        return text != null
                ? new Argument.Literal(text)
                : parameters.isNull(number) ? new Argument.Null() : new Argument.Unknown();
    }

    private void ended(String tag, boolean chain) {
        boolean committed = !tag.equals("ROLLBACK");
        catalog.clear();
        if (chain) {
            if (transaction.hasLostItsModes()) {
                settings.forgetModes();
            }
            settings.chain(committed);
            transaction.chain();
        } else {
            settings.end(committed);
            transaction.end();
        }
    }

    private void discard(StatementAction.Discard.Target target) {
        if (target == StatementAction.Discard.Target.ALL) {
            settings.discardAll();
            settings.end(true); // it can't be in a block, and commits at once
            statements.clear();
        }
    }
}
