package dev.tenantry.proxy.server;

import dev.tenantry.catalog.CatalogSnapshot;
import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.auth.AuthenticationFailure;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.auth.ScramServer;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.proxy.backend.BackendLost;
import dev.tenantry.proxy.backend.BackendRefused;
import dev.tenantry.proxy.pool.BackendPool;
import dev.tenantry.proxy.pool.PoolKey;
import dev.tenantry.proxy.session.ClientOutlet;
import dev.tenantry.proxy.session.SessionBackends;
import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SettingValues;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.sql.SearchPath;
import dev.tenantry.wire.AuthenticationRequest;
import dev.tenantry.wire.BackendMessages;
import dev.tenantry.wire.ClientEncoding;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.ProtocolViolation;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import dev.tenantry.wire.StartupPacket;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import java.net.InetSocketAddress;
import java.nio.charset.Charset;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * From a client's start-up message to its first ReadyForQuery: SCRAM against the role's verifier, then the first
 * backend, whose login says whether the node lets the role in and what its settings are. Lives on the client's event
 * loop.
 */
final class ClientSignIn {
    private static final int PASSWORD_LENGTH_MAX = ScramServer.MESSAGE_LENGTH_MAX + 64;
    private static final Set<String> NOT_SETTINGS = Set.of("user", "database", "options", "replication");

    private final ProxyCore core;
    private final ChannelHandlerContext context;
    private final StartupPacket.Startup startup;
    private final ClientConnection connection;
    private final ScramExchange exchange;
    private final OwnSettings own;
    private boolean abandoned;
    private boolean accepted;
    private CancelKeys.@Nullable Key key;
    private @Nullable SessionBackends backends;

    /** The exchange needs to know whether the channel can be bound. */
    private record ScramExchange(Optional<byte[]> serverEndPoint) {}

    private @Nullable ScramServer scram;

    ClientSignIn(
            ProxyCore core,
            ChannelHandlerContext context,
            StartupPacket.Startup startup,
            Optional<byte[]> serverEndPoint,
            ClientConnection connection) {
        this.core = core;
        this.context = context;
        this.startup = startup;
        this.connection = connection;
        this.exchange = new ScramExchange(serverEndPoint);
        this.own =
                new OwnSettings(core.pools().of(context.channel().eventLoop()).isSharing());
    }

    /** Answers the start-up message. */
    void begin() {
        String user = startup.user();
        startup.negotiation().ifPresent(negotiation -> {
            ByteBuf out = context.alloc().buffer(64);
            negotiation.encode(out);
            context.write(out);
        });
        if (startup.replication() != StartupPacket.Replication.NONE) {
            throw ProtocolViolation.of("0A000", "replication connections go to a node, not through the proxy")
                    .withHint("Connect to the node itself; citus_nodes shows where it is.");
        }
        if (core.feed().current().role(user).isPresent()) {
            offer(user);
        } else {
            // A role made directly on the coordinator a moment ago is known only after a look.
            core.services().worker().execute(() -> {
                core.feed().refresh();
                context.executor().execute(() -> offer(user));
            });
        }
    }

    private void offer(String user) {
        if (abandoned) {
            return;
        }
        ScramServer server = new ScramServer(user, verifier(user), core.secrets(), exchange.serverEndPoint());
        scram = server;
        send(server.offer());
    }

    private Optional<ScramVerifier> verifier(String user) {
        return core.feed()
                .current()
                .role(user)
                .filter(role -> role.validUntil()
                        .map(until -> until.isAfter(Instant.now()))
                        .orElse(true))
                .flatMap(LoginRole::verifier)
                .flatMap(ScramVerifier::parse);
    }

    private void send(AuthenticationRequest request) {
        ByteBuf out = context.alloc().buffer(128);
        request.encode(out);
        context.writeAndFlush(out);
    }

    /** The client's next bytes; false when more are needed. */
    boolean onBytes(ByteBuf in) {
        ScramServer server = scram;
        if (accepted || server == null || in.readableBytes() < 5) {
            return false;
        }
        byte type = in.getByte(in.readerIndex());
        int length = in.getInt(in.readerIndex() + 1);
        if (type != FrontendType.PASSWORD) {
            throw ProtocolViolation.of("expected SASL response, got message type " + (type & 0xff));
        }
        if (length < 4 || length > PASSWORD_LENGTH_MAX) {
            throw ProtocolViolation.of("invalid message length");
        }
        if (in.readableBytes() < length + 1) {
            return false;
        }
        in.skipBytes(5);
        byte[] body = ByteBufUtil.getBytes(in, in.readerIndex(), length - 4);
        in.skipBytes(length - 4);
        switch (server.onResponse(body)) {
            case ScramServer.Step.Continue goes -> send(goes.reply());
            case ScramServer.Step.Refused refused -> wrong(refused.failure());
            case ScramServer.Step.Accepted in2 -> {
                accepted = true;
                ByteBuf out = context.alloc().buffer(128);
                in2.reply().encode(out);
                new AuthenticationRequest.Ok().encode(out);
                context.writeAndFlush(out);
                open(new ScramClient.Credentials.Keys(in2.keys()));
            }
        }
        return true;
    }

    /** The password may have been changed directly on the coordinator: the next attempt shall see it. */
    private void wrong(AuthenticationFailure failure) {
        core.services().worker().execute(core.feed()::refresh);
        refuse(new SqlError(
                SqlError.Severity.FATAL,
                failure.sqlState(),
                failure.message(),
                failure.detail().orElse(null),
                failure.hint().orElse(null)));
    }

    private void open(ScramClient.Credentials credentials) {
        CatalogSnapshot snapshot = core.feed().current();
        String user = startup.user();
        LoginRole role = snapshot.role(user).orElse(null);
        if (role == null || !role.canLogin()) {
            refuse(SqlError.fatal("28000", "role \"" + user + "\" is not permitted to log in"));
            return;
        }
        if (!startup.database().equals(snapshot.database())) {
            refuse(SqlError.fatal("3D000", "database \"" + startup.database() + "\" does not exist")
                    .withDetail("This cluster serves the database \"" + snapshot.database() + "\"."));
            return;
        }
        Map<String, String> settings = own.ofConnection(role);
        settings.putAll(askedSettings());
        String encoding = settings.get("client_encoding");
        if (encoding != null && !ClientEncoding.isSafe(encoding)) {
            refuse(SqlErrors.unsafeEncoding(encoding).asFatal());
            return;
        }
        SqlError invalid = askedSettings().entrySet().stream()
                .flatMap(asked -> SettingValues.refusal(asked.getKey(), asked.getValue()).stream())
                .findFirst()
                .orElse(null);
        if (invalid != null) {
            refuse(invalid.asFatal());
            return;
        }
        BackendPool pool = core.pools().of(context.channel().eventLoop());
        SessionBackends alone = new SessionBackends(pool, new PoolKey(parameters(snapshot, role), role), credentials);
        List<Node> candidates = candidates(snapshot, settings, user);
        Runnable openAlone =
                () -> openHome(new SessionOpening(user, settings, Map.of(), alone), candidates, 0, this::refuseSession);
        if (!pool.isSharing() || !canShare(settings)) {
            openAlone.run();
            return;
        }
        SessionOpening opening = sharing(role, new PoolKey(commonParameters(snapshot, role), role), pool, credentials);
        // What can only be had from the start, or not at all, the node is asked for at the start.
        openHome(opening, candidates, 0, problem -> {
            if (refusal(problem) instanceof SqlErrorException) {
                opening.backends().abandonAll(false, true);
                openAlone.run();
            } else {
                refuseSession(problem);
            }
        });
    }

    /** A role's idle_session_timeout is its sessions' affair: it must not end a connection that others may use. */
    private SessionOpening sharing(LoginRole role, PoolKey key, BackendPool pool, ScramClient.Credentials credentials) {
        Map<String, String> connection = own.ofConnection(role);
        Map<String, String> begun = askedSettings();
        String idle = role.settings().get(PoolKey.IDLE_SESSION_TIMEOUT);
        if (idle != null) {
            connection.put(PoolKey.IDLE_SESSION_TIMEOUT, "0");
            begun.putIfAbsent(PoolKey.IDLE_SESSION_TIMEOUT, idle);
        }
        return new SessionOpening(startup.user(), connection, begun, new SessionBackends(pool, key, credentials));
    }

    /** Whether a session can have connections that have begun without the settings that its client has asked for. */
    private boolean canShare(Map<String, String> settings) {
        return startup.options().otherSwitches().isEmpty()
                && !SettingValues.keepsConnections(settings.get(SettingValues.POOL_MODE))
                && askedSettings().keySet().stream().noneMatch(SessionSettings::belongsToConnection);
    }

    /** What nodes are sent for sessions whose clients may have asked for different settings. */
    private Map<String, String> commonParameters(CatalogSnapshot snapshot, LoginRole role) {
        String options = own.options(role, "");
        return Map.of(
                "user",
                startup.user(),
                "database",
                snapshot.database(),
                "options",
                role.settings().containsKey(PoolKey.IDLE_SESSION_TIMEOUT)
                        ? PoolKey.withoutIdleTimeout(options)
                        : options);
    }

    /** What nodes are sent: the client's own parameters, and defaults of settings that only exist here. */
    private Map<String, String> parameters(CatalogSnapshot snapshot, LoginRole role) {
        Map<String, String> parameters = new LinkedHashMap<>(startup.parameters());
        parameters.remove("replication");
        parameters.put("database", snapshot.database());
        parameters.put("options", own.options(role, startup.parameters().getOrDefault("options", "")));
        return parameters;
    }

    /** What the client has asked for. */
    private Map<String, String> askedSettings() {
        Map<String, String> settings = new HashMap<>();
        startup.options().settings().forEach(setting -> settings.put(setting.key(), setting.value()));
        startup.parameters().forEach((name, value) -> {
            if (!NOT_SETTINGS.contains(name)) {
                settings.put(name.toLowerCase(Locale.ROOT), value);
            }
        });
        return settings;
    }

    /** Where the session may begin: where its search_path leads, else at the coordinator, else anywhere. */
    private List<Node> candidates(CatalogSnapshot snapshot, Map<String, String> settings, String user) {
        List<Node> nodes = new ArrayList<>();
        String path = settings.get("search_path");
        for (String name : SearchPath.parse(path == null ? "\"$user\"" : path).orElse(List.of())) {
            DistributedSchema schema = snapshot.schema(name.equals("$user") ? user : name);
            if (schema != null && nodes.isEmpty()) {
                nodes.add(schema.node());
            }
        }
        nodes.add(snapshot.coordinator());
        snapshot.nodes().stream().filter(Node::active).forEach(nodes::add);
        // A paused node may be about to stop; the session gets to it when it has to.
        return nodes.stream()
                .distinct()
                .sorted(Comparator.comparing(node -> snapshot.pauses().ofNode(node.nodeId()) != null))
                .toList();
    }

    private void openHome(SessionOpening opening, List<Node> candidates, int index, Consumer<Throwable> refused) {
        backends = opening.backends();
        ClientSession session =
                new ClientSession(opening, new ClientOutlet(context.channel()), core.shared(context.channel()));
        session.open(candidates.get(index)).whenComplete((home, problem) -> {
            if (abandoned) {
                opening.backends().abandonAll(false, true);
            } else if (problem == null) {
                begin(session, home);
            } else if (isAway(problem) && index + 1 < candidates.size()) {
                openHome(opening, candidates, index + 1, refused);
            } else {
                refused.accept(problem);
            }
        });
    }

    private void refuseSession(Throwable problem) {
        refuse(told(problem).asFatal());
    }

    /** Whether another node may do as the first one that the session talks to. */
    private static boolean isAway(Throwable problem) {
        Throwable cause = refusal(problem);
        return cause instanceof BackendLost || cause instanceof BackendRefused refused && refused.isUnreachable();
    }

    private SqlError told(Throwable problem) {
        return switch (refusal(problem)) {
            case BackendRefused refused -> refused.error();
            case BackendLost lost -> SqlErrors.lost(lost.node());
            case SqlErrorException unsettled -> unsettled.error();
            default -> {
                core.failed(problem);
                yield SqlError.fatal("XX000", "internal error");
            }
        };
    }

    private static Throwable refusal(Throwable problem) {
        return problem.getCause() != null ? problem.getCause() : problem;
    }

    private void begin(ClientSession session, BackendConnection home) {
        CancelKeys.Key issued = core.cancelKeys()
                .issue(
                        startup.spokenMinor(),
                        () -> CompletableFuture.completedFuture(null)
                                .thenComposeAsync(now -> session.cancel(), context.executor()));
        key = issued;
        ByteBuf out = context.alloc().buffer(512);
        Charset encoding = ClientEncoding.charset(home.parameters().getOrDefault(ClientEncoding.SETTING, "UTF8"));
        home.parameters().forEach((name, value) -> BackendMessages.parameterStatus(out, name, value, encoding));
        BackendMessages.backendKeyData(out, issued.processId(), issued.secret());
        BackendMessages.readyForQuery(out, (byte) 'I');
        session.begin(home);
        context.writeAndFlush(out);
        connection.begin(session, new SessionPortrait.Identity(issued.processId(), client()));
    }

    /** Of a socket that is closed already the address may be unknown. */
    private InetSocketAddress client() {
        return context.channel().remoteAddress() instanceof InetSocketAddress known ? known : new InetSocketAddress(0);
    }

    private void refuse(SqlError error) {
        connection.refuse(context, error);
    }

    /** The client is gone. */
    void abandon() {
        abandoned = true;
        if (key != null) {
            core.cancelKeys().revoke(key);
        }
        if (backends != null && connection.session() == null) {
            backends.abandonAll(false, true);
        }
    }
}
