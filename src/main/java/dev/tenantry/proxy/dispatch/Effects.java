package dev.tenantry.proxy.dispatch;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.session.BoundParameters;
import dev.tenantry.proxy.session.PreparedOnBackend;
import dev.tenantry.proxy.session.PreparedStatements;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
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

    private final SessionSettings settings;
    private final TransactionScope transaction;
    private final PreparedStatements statements;
    private final CatalogOverlay catalog;

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
        for (SetConfigCall call : facts.settingCalls()) {
            setConfig(call, parameters);
        }
        switch (facts.action()) {
            case StatementAction.SetVariable set -> set(set, text);
            case StatementAction.ResetVariable reset -> settings.reset(reset.name());
            case StatementAction.ResetAll() -> settings.resetAll();
            case StatementAction.SessionCharacteristics modes ->
                modes.settings().forEach(set -> set(set, null));
            case StatementAction.Begin begin -> {
                // ReadyForQuery tells that the block is open
            }
            case StatementAction.Commit commit -> ended(tag, commit.chain());
            case StatementAction.Rollback rollback -> ended(tag, rollback.chain());
            case StatementAction.Savepoint savepoint -> {
                settings.savepoint(savepoint.name());
                catalog.savepoint(savepoint.name());
                transaction.savepoint(savepoint.name());
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
                statements.addSql(prepare.name(), text.getBytes(StandardCharsets.ISO_8859_1), facts);
            }
            case StatementAction.Deallocate deallocate ->
                deallocate.name().ifPresentOrElse(statements::remove, statements::clear);
            case StatementAction.Discard discard -> discard(discard.target());
            case StatementAction.None _,
                    StatementAction.Execute _,
                    StatementAction.CreateSchema _,
                    StatementAction.DropSchema _,
                    StatementAction.RenameSchema _,
                    StatementAction.AlterSchemaOwner _,
                    StatementAction.OnSchemas _,
                    StatementAction.EveryNode _ -> {
                // changes nothing here: settings calls only, or carried out by the session itself
            }
        }
    }

    /** The same, where the backend that has confirmed it is concerned as well. */
    public void confirmedOn(BackendConnection backend, Confirmed confirmed, String tag) {
        confirmed(confirmed, tag);
        StatementAction action = confirmed.facts().action();
        if (action instanceof StatementAction.Begin && !transaction.isOpen()) {
            transaction.openedOn(backend, confirmed.text());
        }
        PreparedOnBackend.confirmed(action, backend, statements);
        if (!transaction.isOpen()) {
            backend.label(settings.session());
        }
    }

    private void set(StatementAction.SetVariable set, @Nullable String text) {
        switch (set.value()) {
            case StatementAction.SettingValue.Text value ->
                settings.set(set.name(), new SessionSettings.Value(value.text(), null), set.local());
            case StatementAction.SettingValue.StatementOnly() ->
                settings.set(set.name(), new SessionSettings.Value(null, text), set.local());
        }
    }

    private void setConfig(SetConfigCall call, BoundParameters parameters) {
        String value = switch (call.value()) {
            case Argument.Literal literal -> literal.text();
            case Argument.Parameter parameter -> parameters.text(parameter.number());
            case Argument.Unknown() -> null;
        };
        if (value != null && call.local() != SetConfigCall.Local.UNKNOWN) {
            settings.set(
                    call.name().toLowerCase(Locale.ROOT),
                    new SessionSettings.Value(value, null),
                    call.local() == SetConfigCall.Local.YES);
        }
    }

    private void ended(String tag, boolean chain) {
        settings.end(!tag.equals("ROLLBACK"));
        catalog.clear();
        if (chain) {
            transaction.chain();
        } else {
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
