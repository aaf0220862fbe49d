package dev.tenantry.store;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.pgclient.PgNotice;
import io.vertx.pgclient.SslMode;
import io.vertx.pgclient.spi.PgDriver;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import io.vertx.sqlclient.spi.ConnectionFactory;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * One connection to a server, awaited: for virtual threads, never for an event loop. Used by one thread at a time.
 * Every call ends within the limit given when it was opened; SQL errors come as {@link StatementRefusedException},
 * everything else as {@link CatalogUnavailableException}, after which the connection is of no more use.
 */
public final class ServerConnection implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(ServerConnection.class);

    /** A server that does not take its leave is left. */
    private static final long CLOSE_MAX_MILLIS = 2_000;

    private static final int PREPARED_LENGTH_MAX = 8_192;

    private final PgConnection connection;
    private final ConnectionFactory factory;
    private final CoordinatorAddress address;
    private final Duration limit;

    private ServerConnection(
            PgConnection connection, ConnectionFactory factory, CoordinatorAddress address, Duration limit) {
        this.connection = connection;
        this.factory = factory;
        this.address = address;
        this.limit = limit;
        // The next call fails and the close handler is called; without this, Vert.x prints it past the log.
        connection.exceptionHandler(
                problem -> LOG.debugf("connection failed node=%s reason=%s", address, problem.getMessage()));
    }

    /** Connects and signs in. */
    public static ServerConnection open(Vertx vertx, CoordinatorAddress address, Duration limit) {
        return open(vertx, address, limit, limit);
    }

    /** The same for statements that may take longer than connecting. */
    public static ServerConnection open(
            Vertx vertx, CoordinatorAddress address, Duration connectMax, Duration answerMax) {
        return open(vertx, address, new PgConnectOptions(), connectMax, answerMax);
    }

    /**
     * The same for who runs the same few statements again and again: each is prepared once. Should the tables change
     * that it is about, it may fail until the connection is opened anew.
     */
    public static ServerConnection openToRepeat(
            Vertx vertx, CoordinatorAddress address, Duration connectMax, Duration answerMax) {
        PgConnectOptions options = new PgConnectOptions();
        options.setCachePreparedStatements(true);
        options.setPreparedStatementCacheSqlLimit(PREPARED_LENGTH_MAX);
        return open(vertx, address, options, connectMax, answerMax);
    }

    private static ServerConnection open(
            Vertx vertx,
            CoordinatorAddress address,
            PgConnectOptions options,
            Duration connectMax,
            Duration answerMax) {
        options.setHost(address.host())
                .setPort(address.port())
                .setDatabase(address.database())
                .setUser(address.user())
                .setPassword(address.password())
                .setProperties(Map.of(
                        "application_name", "tenantry control",
                        "client_encoding", "UTF8",
                        "DateStyle", "ISO",
                        "search_path", "pg_catalog",
                        "tenantry.schema_ddl", "on"));
        options.setConnectTimeout((int) connectMax.toMillis());
        options.setTcpKeepAlive(true);
        encrypt(options, address.tls());
        // PgConnection.connect would make a factory of its own, whose sockets only the garbage collector closes.
        ConnectionFactory factory = PgDriver.INSTANCE.createConnectionFactory(vertx, options);
        Future<SqlConnection> connecting = factory.connect(vertx.getOrCreateContext());
        try {
            PgConnection connection = PgConnection.cast(await(connecting, address, connectMax));
            return new ServerConnection(connection, factory, address, answerMax);
        } catch (CatalogUnavailableException | StatementRefusedException failed) {
            factory.close(Promise.promise());
            throw failed;
        }
    }

    private static void encrypt(PgConnectOptions options, ServerTls tls) {
        options.setSslMode(SslMode.of(tls.mode().word()));
        if (tls.mode().verifies()) {
            PemTrustOptions roots = new PemTrustOptions();
            tls.rootCertificates().ifPresent(file -> roots.addCertPath(file.toString()));
            options.setTrustOptions(roots);
        } else {
            options.setTrustAll(true);
        }
        options.setHostnameVerificationAlgorithm(tls.mode() == ServerTls.Mode.VERIFY_FULL ? "HTTPS" : "");
    }

    /** No setting of a role or a database ends what is done here from now on, nor its transactions. */
    public void endTimeouts() {
        query(CopyConnection.PATIENCE);
    }

    /** Runs one statement and returns its rows. */
    public RowSet<Row> query(String sql) {
        return await(connection.query(sql).execute());
    }

    /** Runs one statement with bound parameters and returns its rows. */
    public RowSet<Row> query(String sql, Object... parameters) {
        return await(connection.preparedQuery(sql).execute(Tuple.from(parameters)));
    }

    /** Sends a statement without waiting; the server runs it after those sent before. */
    Future<RowSet<Row>> send(String sql, Object... parameters) {
        return connection.preparedQuery(sql).execute(Tuple.from(parameters));
    }

    /** Calls back on every notification, on the connection's event loop. */
    public void onNotification(Consumer<String> payload) {
        connection.notificationHandler(notification -> payload.accept(notification.getPayload()));
    }

    /** Calls back on every notice, on the connection's event loop. */
    public void onNotice(Consumer<PgNotice> notice) {
        connection.noticeHandler(notice::accept);
    }

    /** Calls back with each warning, its detail and its hint, on the connection's event loop. */
    public void onWarning(Consumer<String> told) {
        onNotice(notice -> {
            if ("WARNING".equals(notice.getSeverity())) {
                told.accept(Stream.of(notice.getMessage(), notice.getDetail(), notice.getHint())
                        .filter(Objects::nonNull)
                        .collect(Collectors.joining(" ")));
            }
        });
    }

    /** Calls back when the server has gone, on the connection's event loop. */
    public void onClose(Runnable action) {
        connection.closeHandler(ignored -> action.run());
    }

    /** Waits for what was sent, at most for the limit. */
    <T> T await(Future<T> future) {
        try {
            return await(future, address, limit);
        } catch (CatalogUnavailableException unusable) {
            if (Thread.currentThread().isInterrupted() || unusable.getCause() instanceof TimeoutException) {
                // Nobody waits for what it runs; the server would go on with it.
                connection.cancelRequest().onComplete(asked -> leave());
            } else {
                leave();
            }
            throw unusable;
        }
    }

    private static <T> T await(Future<T> future, CoordinatorAddress address, Duration limit) {
        try {
            return future.toCompletionStage().toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException late) {
            throw new CatalogUnavailableException(
                    "no answer from " + address + " within " + limit.toMillis() + " ms", late);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new CatalogUnavailableException("interrupted while waiting for " + address, interrupted);
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof PgException error && !isLoss(error.getSqlState())) {
                throw new StatementRefusedException(
                        String.valueOf(error.getSqlState()),
                        String.valueOf(error.getErrorMessage()),
                        error.getDetail(),
                        error.getHint(),
                        failed);
            }
            throw new CatalogUnavailableException(
                    "no connection to " + address + ": " + failed.getMessage(),
                    failed.getCause() instanceof PgException error ? String.valueOf(error.getSqlState()) : "",
                    failed);
        }
    }

    /** Classes 08 and 57P0x (shutdown, crash, starting up), too many connections: the server's state, not our SQL. */
    static boolean isLoss(@Nullable String sqlState) {
        return sqlState != null
                && (sqlState.startsWith("08") || sqlState.startsWith("57P0") || sqlState.equals("53300"));
    }

    /** Which server this is. */
    public CoordinatorAddress address() {
        return address;
    }

    /** Takes leave of the server; returns when the connection has ended, which is before its Vert.x may be closed. */
    @Override
    public void close() {
        CompletableFuture<Void> left = leave().toCompletionStage().toCompletableFuture();
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_MAX_MILLIS);
        boolean interrupted = false;
        for (long rest = end - System.nanoTime(); rest > 0 && !left.isDone(); rest = end - System.nanoTime()) {
            try {
                left.get(rest, TimeUnit.NANOSECONDS);
            } catch (InterruptedException stopped) {
                interrupted = true; // it has to be closed all the same
            } catch (ExecutionException | TimeoutException gone) {
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private Future<Void> leave() {
        return connection.close().transform(closed -> {
            Promise<Void> released = Promise.promise();
            factory.close(released);
            return released.future();
        });
    }
}
