package dev.tenantry.store;

import java.io.IOException;
import java.io.OutputStream;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.jboss.logging.Logger;
import org.postgresql.PGConnection;
import org.postgresql.PGProperty;
import org.postgresql.copy.PGCopyOutputStream;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * One connection to a server for COPY and for the commands of replication, which {@link ServerConnection} has not. For
 * virtual threads, one at a time; only {@link #abort} may be called by another. Calls wait as long as the server takes.
 * SQL errors come as {@link StatementRefusedException}, everything else as {@link CatalogUnavailableException}.
 */
public final class CopyConnection implements AutoCloseable {

    /** Nothing that a role or a database has set ends what may take hours. */
    static final String PATIENCE = """
            SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
            WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
                           'idle_session_timeout', 'transaction_timeout')
            """;

    private static final Logger LOG = Logger.getLogger(CopyConnection.class);
    private static final int BUFFER_BYTES = 64 * 1024;

    private final Connection connection;
    private final CoordinatorAddress address;
    private final boolean trusted;

    private CopyConnection(Connection connection, CoordinatorAddress address, boolean trusted) {
        this.connection = connection;
        this.address = address;
        this.trusted = trusted;
    }

    /** Connects for SQL. */
    public static CopyConnection open(CoordinatorAddress address, String applicationName) {
        return open(address, ServerDataSource.of(address, applicationName), true);
    }

    /**
     * The same for a role for which somebody else's functions may be called, who can raise any error, and end the
     * session: once it is signed in, everything comes as {@link StatementRefusedException}, the end of it too. Rows
     * that the role may not see are an error, and not left out.
     */
    public static CopyConnection openUntrusted(CoordinatorAddress address, String applicationName) {
        return open(address, ServerDataSource.of(address, applicationName), false);
    }

    /** Connects for commands of replication and SQL; "Streaming Replication Protocol" in the manual. */
    public static CopyConnection openForReplication(CoordinatorAddress address, String applicationName) {
        PGSimpleDataSource source = ServerDataSource.of(address, applicationName);
        source.setProperty(PGProperty.REPLICATION, "database");
        source.setAssumeMinServerVersion("15"); // else the driver does not dare to send it
        source.setPreferQueryMode(PreferQueryMode.SIMPLE);
        return open(address, source, true);
    }

    private static CopyConnection open(CoordinatorAddress address, PGSimpleDataSource source, boolean trusted) {
        source.setOptions(
                "-c search_path=pg_catalog -c tenantry.schema_ddl=on" + (trusted ? "" : " -c row_security=off"));
        try {
            return new CopyConnection(source.getConnection(), address, trusted).patient();
        } catch (SQLException failed) {
            throw ServerDataSource.translated(address, "", failed, failed);
        }
    }

    private CopyConnection patient() {
        try {
            row(PATIENCE);
            return this;
        } catch (RuntimeException failed) {
            close();
            throw failed;
        }
    }

    /** Runs one or more commands; returns the first row of the first one's result, empty if there is none. */
    public List<String> row(String sql) {
        try (Statement statement = connection.createStatement()) {
            List<String> columns = new ArrayList<>();
            if (statement.execute(sql)) {
                try (ResultSet rows = statement.getResultSet()) {
                    int count = rows.next() ? rows.getMetaData().getColumnCount() : 0;
                    for (int i = 1; i <= count; i++) {
                        columns.add(String.valueOf(rows.getString(i)));
                    }
                }
            }
            return columns;
        } catch (SQLException failed) {
            throw translated(failed, failed);
        }
    }

    /**
     * Lets what COPY TO gives flow into COPY FROM on another connection; all or nothing arrives.
     *
     * @param flowed told how many bytes have gone since it was told last
     */
    public void copy(String copyTo, CopyConnection target, String copyFrom, LongConsumer flowed) {
        PGCopyOutputStream in = target.receiving(copyFrom);
        boolean complete = false;
        try {
            connection.unwrap(PGConnection.class).getCopyAPI().copyOut(copyTo, new Counting(in, flowed));
            target.end(in);
            complete = true;
        } catch (SQLException failed) {
            throw translated(failed, failed);
        } catch (IOException failed) {
            throw failed.getCause() instanceof SQLException refused
                    ? target.translated(refused, failed)
                    : target.lost(failed);
        } finally {
            if (!complete) {
                target.giveUp(in);
            }
        }
    }

    /** Lets what COPY TO gives flow into a stream of this process, which must not fail. */
    public void read(String copyTo, OutputStream to) {
        try {
            connection.unwrap(PGConnection.class).getCopyAPI().copyOut(copyTo, to);
        } catch (SQLException failed) {
            throw translated(failed, failed);
        } catch (IOException failed) {
            throw lost(failed);
        }
    }

    private PGCopyOutputStream receiving(String copyFrom) {
        try {
            return new PGCopyOutputStream(connection.unwrap(PGConnection.class), copyFrom, BUFFER_BYTES);
        } catch (SQLException failed) {
            throw translated(failed, failed);
        }
    }

    private void end(PGCopyOutputStream in) throws IOException {
        try {
            in.endCopy();
        } catch (SQLException failed) {
            throw translated(failed, failed);
        }
    }

    private RuntimeException translated(SQLException refused, Throwable failed) {
        return trusted
                ? ServerDataSource.translated(address, "", refused, failed)
                : ServerDataSource.refused(address, refused, failed);
    }

    private RuntimeException lost(IOException failed) {
        return translated(new SQLException(failed.getMessage()), failed);
    }

    /** Never by closing the stream, which would end the COPY as if all had come. */
    private void giveUp(PGCopyOutputStream in) {
        try {
            if (in.isActive()) {
                in.cancelCopy();
            }
        } catch (SQLException lost) {
            LOG.debugf("COPY could not be given up node=%s reason=%s", address, lost.getMessage());
            abort();
        }
    }

    /** Ends it at once, also while another thread uses it, which then fails. */
    public void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException lost) {
            LOG.debugf("connection could not be aborted node=%s reason=%s", address, lost.getMessage());
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException lost) {
            LOG.debugf("connection could not be closed node=%s reason=%s", address, lost.getMessage());
        }
    }

    /** Passes on and counts. */
    private static final class Counting extends OutputStream {

        private final OutputStream out;
        private final LongConsumer flowed;

        private Counting(OutputStream out, LongConsumer flowed) {
            this.out = out;
            this.flowed = flowed;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
            flowed.accept(length);
        }
    }
}
