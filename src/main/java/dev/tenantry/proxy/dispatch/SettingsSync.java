package dev.tenantry.proxy.dispatch;

import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.CallResult;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.sql.SqlName;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Gives a backend the settings of the session, by bound {@code set_config} calls, never by pasting a value into SQL.
 * Lives on the client's event loop.
 */
final class SettingsSync {
    private static final byte[] SET_CONFIG =
            "SELECT pg_catalog.set_config($1, $2, false)".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SET_CONFIG_LOCAL =
            "SELECT pg_catalog.set_config($1, $2, true)".getBytes(StandardCharsets.US_ASCII);
    /** What must come first, because the values after it depend on it; {@code role} comes last. */
    private static final List<String> FIRST = List.of("client_encoding", "session_authorization");

    private final SessionSettings settings;

    SettingsSync(SessionSettings settings) {
        this.settings = settings;
    }

    /** Brings a backend outside a transaction to the settings of the session; the label is the caller's to set. */
    CompletableFuture<CallResult> bring(BackendConnection backend) {
        ByteBuf out = backend.channel().alloc().buffer(256);
        int ready = write(out, labelled(backend.label()), settings.committed(), SET_CONFIG);
        if (ready == 0) {
            FrontendMessages.bodiless(out, FrontendType.SYNC);
            ready = 1;
        }
        return backend.call(out, ready);
    }

    private int write(
            ByteBuf out,
            Map<String, SessionSettings.Value> has,
            Map<String, SessionSettings.Value> wanted,
            byte[] setConfig) {
        int ready = 0;
        for (String name : order(has, wanted)) {
            SessionSettings.Value value = wanted.get(name);
            if (value == null) {
                FrontendMessages.query(out, "RESET " + SqlName.quoted(name));
            } else if (value.text() != null) {
                FrontendMessages.parse(out, "", setConfig, 0, setConfig.length);
                FrontendMessages.bind(
                        out,
                        "",
                        name.getBytes(StandardCharsets.UTF_8),
                        value.text().getBytes(settings.charset()));
                FrontendMessages.execute(out);
                FrontendMessages.bodiless(out, FrontendType.SYNC);
            } else {
                FrontendMessages.query(out, String.valueOf(value.statement()));
            }
            ready++;
        }
        return ready;
    }

    /** Gives a backend inside a transaction what the transaction has changed so far. */
    CompletableFuture<BackendConnection> bringUncommitted(BackendConnection backend) {
        ByteBuf out = backend.channel().alloc().buffer(256);
        int ready = write(out, settings.committed(), settings.session(), SET_CONFIG)
                + write(out, Map.of(), settings.local(), SET_CONFIG_LOCAL);
        if (ready == 0) {
            out.release();
            return CompletableFuture.completedFuture(backend);
        }
        return backend.call(out, ready).thenApply(result -> {
            if (!result.isSuccess()) {
                throw new SqlErrorException(SqlErrors.of(result));
            }
            return backend;
        });
    }

    private static List<String> order(
            Map<String, SessionSettings.Value> has, Map<String, SessionSettings.Value> wanted) {
        List<String> names = new ArrayList<>();
        wanted.forEach((name, value) -> {
            if (!value.equals(has.get(name))) {
                names.add(name);
            }
        });
        has.keySet().stream().filter(name -> !wanted.containsKey(name)).forEach(names::add);
        names.sort(Comparator.comparingInt(SettingsSync::rank));
        if (names.contains("session_authorization") && wanted.containsKey("role") && !names.contains("role")) {
            names.add("role");
        }
        return names;
    }

    private static int rank(String name) {
        int first = FIRST.indexOf(name);
        return first >= 0 ? first : name.equals("role") ? FIRST.size() + 1 : FIRST.size();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, SessionSettings.Value> labelled(@Nullable Object label) {
        return label == null ? Map.of() : (Map<String, SessionSettings.Value>) label;
    }
}
