package dev.tenantry.proxy.backend;

import dev.tenantry.proxy.auth.AuthenticationFailure;
import dev.tenantry.proxy.auth.ScramClient;
import dev.tenantry.proxy.net.FrameHandler;
import dev.tenantry.wire.AuthenticationRequest;
import dev.tenantry.wire.BackendType;
import dev.tenantry.wire.ErrorFields;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.ProtocolViolation;
import dev.tenantry.wire.SqlError;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The conversation with a node from the start-up message to its first ReadyForQuery. */
final class BackendLogin implements FrameHandler {
    /** More than any message of a sign-in; a node that sends more is no PostgreSQL. */
    private static final int FRAME_LENGTH_MAX = 1 << 20;

    private final BackendConnection backend;
    private @Nullable ScramClient scram;
    private final CompletableFuture<BackendConnection> opened;
    private int processId;
    private byte[] secretKey = new byte[0];

    BackendLogin(BackendConnection backend, CompletableFuture<BackendConnection> opened) {
        this.backend = backend;
        this.opened = opened;
    }

    /** Sends the start-up message when the connection is ready for it. */
    void beginWhen(
            CompletableFuture<Optional<byte[]>> ready,
            Function<Optional<byte[]>, ScramClient> client,
            Map<String, String> parameters) {
        ready.whenComplete((endPoint, problem) -> {
            if (problem != null) {
                failed(problem);
                backend.close();
                return;
            }
            scram = client.apply(endPoint);
            ByteBuf out = backend.channel().alloc().buffer(256);
            FrontendMessages.startup(out, parameters);
            backend.write(out);
            if (backend.channel().isActive()) {
                backend.flush();
            }
        });
    }

    /** The connection is there: what was written before it leaves. */
    void connected() {
        backend.flush();
    }

    @Override
    public Verdict header(byte type, ByteBuf in, int index, int frameLength, int available) {
        if (frameLength > FRAME_LENGTH_MAX) {
            malformed(type, frameLength - 1);
            return Verdict.SKIP;
        }
        return Verdict.WHOLE;
    }

    @Override
    public Verdict frame(byte type, ByteBuf in, int index, int frameLength) {
        try {
            read(type, in, index, frameLength);
        } catch (ProtocolViolation violation) {
            refuse(SqlError.fatal(violation.sqlState(), violation.message()));
        }
        return Verdict.SKIP;
    }

    private void read(byte type, ByteBuf in, int index, int frameLength) {
        switch (type) {
            case BackendType.AUTHENTICATION -> authenticate(in, index, frameLength);
            case BackendType.PARAMETER_STATUS -> backend.noteParameter(in, index, frameLength);
            case BackendType.BACKEND_KEY_DATA -> {
                processId = in.getInt(index + 5);
                secretKey = ByteBufUtil.getBytes(in, index + 9, frameLength - 9);
            }
            case BackendType.ERROR_RESPONSE -> refuse(nodeError(in, index, frameLength));
            case BackendType.READY_FOR_QUERY -> {
                backend.noteStatus(in.getByte(index + 5));
                backend.loggedIn(processId, secretKey);
                opened.complete(backend);
            }
            case BackendType.NOTICE_RESPONSE, BackendType.NEGOTIATE_PROTOCOL_VERSION -> {
                // carry nothing a session needs
            }
            default -> malformed(type, frameLength - 1);
        }
    }

    private void authenticate(ByteBuf in, int index, int frameLength) {
        AuthenticationRequest request = AuthenticationRequest.parse(in.slice(index + 5, frameLength - 5));
        ScramClient exchange = scram;
        if (exchange == null) {
            refuse(SqlError.fatal(
                    "08P01", "node \"" + backend.node().name() + "\" asked before it was told who we are"));
            return;
        }
        switch (exchange.onRequest(request)) {
            case ScramClient.Step.Send send -> {
                backend.write(Unpooled.wrappedBuffer(send.message()));
                backend.flush();
            }
            case ScramClient.Step.Wait waits -> {
                // the node goes on
            }
            case ScramClient.Step.SignedIn signedIn -> {
                // the rest of the login follows by itself
            }
            case ScramClient.Step.Failed failed -> refuse(error(failed.failure()));
        }
    }

    private static SqlError error(AuthenticationFailure failure) {
        return new SqlError(
                SqlError.Severity.FATAL,
                failure.sqlState(),
                failure.message(),
                failure.detail().orElse(null),
                failure.hint().orElse(null));
    }

    private static SqlError nodeError(ByteBuf in, int index, int frameLength) {
        String detail = ErrorFields.field(in, index, frameLength, 'D');
        String hint = ErrorFields.field(in, index, frameLength, 'H');
        return new SqlError(
                SqlError.Severity.FATAL,
                ErrorFields.field(in, index, frameLength, 'C'),
                ErrorFields.field(in, index, frameLength, 'M'),
                detail.isEmpty() ? null : detail,
                hint.isEmpty() ? null : hint);
    }

    private void refuse(SqlError error) {
        opened.completeExceptionally(new BackendRefused(backend.node(), error));
        backend.close();
    }

    void connectionLost() {
        opened.completeExceptionally(new BackendRefused(
                backend.node(),
                BackendConnector.unreachable(backend.node(), new IllegalStateException("it closed the connection"))));
    }

    void failed(Throwable cause) {
        opened.completeExceptionally(
                new BackendRefused(backend.node(), BackendConnector.unreachable(backend.node(), cause)));
    }

    @Override
    public void forward(ByteBuf run) {
        run.release();
        throw new IllegalStateException("nothing of a login is forwarded");
    }

    @Override
    public void malformed(byte type, int length) {
        refuse(SqlError.fatal("08P01", "node \"" + backend.node().name() + "\" sent a malformed message"));
    }
}
