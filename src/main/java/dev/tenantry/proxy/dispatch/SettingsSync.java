package dev.tenantry.proxy.dispatch;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SessionSettings.State;
import dev.tenantry.proxy.session.SessionSettings.Value;
import dev.tenantry.proxy.session.TransactionScope;
import dev.tenantry.proxy.session.TransactionScope.Savepoint;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Gives a backend the settings of the session, outside a transaction or in one. Lives on the client's event loop. */
final class SettingsSync {
    private final SessionSettings settings;
    private final TransactionScope transaction;

    SettingsSync(SessionSettings settings, TransactionScope transaction) {
        this.settings = settings;
        this.transaction = transaction;
    }

    /** Brings a backend outside a transaction to the settings of the session; the label is the caller's to set. */
    CompletableFuture<CallResult> bring(BackendConnection backend) {
        SettingsScript script = script(backend, new State(labelled(backend.label()), Map.of()));
        script.bring(new State(settings.committed(), Map.of()));
        return call(backend, script);
    }

    /** Takes a backend outside a transaction back to what it has begun with. */
    CompletableFuture<CallResult> clear(BackendConnection backend) {
        SettingsScript script = script(backend, new State(labelled(backend.label()), Map.of()));
        script.run("RESET SESSION AUTHORIZATION");
        script.run("RESET ROLE");
        script.run("RESET ALL");
        return call(backend, script);
    }

    /** Begins the session's transaction on a backend that has its committed settings: modes, settings, savepoints. */
    CompletableFuture<CallResult> begin(BackendConnection backend) {
        List<Savepoint> savepoints = transaction.savepoints();
        State first = savepoints.isEmpty()
                ? settings.current()
                : savepoints.getFirst().settings();
        State committed = new State(settings.committed(), Map.of());
        SettingsScript script = script(backend, committed);
        script.begin(first);
        for (Savepoint savepoint : savepoints) {
            script.bring(savepoint.settings());
            script.run(savepoint.text());
        }
        script.bring(settings.current());
        return call(backend, script);
    }

    /** Brings a backend that is in the session's transaction to its settings; the label is the caller's to set. */
    CompletableFuture<CallResult> catchUp(BackendConnection backend, State has) {
        SettingsScript script = script(backend, has);
        script.bring(settings.current());
        return call(backend, script);
    }

    /** Runs SQL outside a transaction as another role and gives the role back. */
    CompletableFuture<CallResult> callAs(BackendConnection backend, String sql, String role) {
        State has = new State(labelled(backend.label()), Map.of());
        Map<String, Value> changed = new HashMap<>(has.session());
        changed.put("role", new Value(role, null));
        SettingsScript script = script(backend, has);
        script.bring(new State(changed, Map.of()));
        script.run(sql);
        script.bring(has);
        return call(backend, script);
    }

    private SettingsScript script(BackendConnection backend, State has) {
        return new SettingsScript(backend.channel().alloc().buffer(256), settings, has);
    }

    private static CompletableFuture<CallResult> call(BackendConnection backend, SettingsScript script) {
        int ready = script.end();
        return backend.call(script.messages(), ready);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Value> labelled(@Nullable Object label) {
        return label == null ? Map.of() : (Map<String, Value>) label;
    }
}
