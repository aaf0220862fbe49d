package dev.tenantry.store;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Servers by JDBC, for the two things that need it: migrations and COPY. */
final class ServerDataSource {

    private static final int CONNECT_SECONDS = 10;
    private static final String CONNECTION_FAILURE = "08006";

    private ServerDataSource() {}

    /** Connects and signs in as {@link ServerConnection} does. */
    static PGSimpleDataSource of(CoordinatorAddress address, String applicationName) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {address.host()});
        source.setPortNumbers(new int[] {address.port()});
        source.setDatabaseName(address.database());
        source.setUser(address.user());
        source.setPassword(address.password());
        source.setSslMode(address.tls().mode().word());
        address.tls().rootCertificates().ifPresent(file -> source.setSslRootCert(file.toString()));
        source.setApplicationName(applicationName);
        source.setConnectTimeout(CONNECT_SECONDS);
        source.setTcpKeepAlive(true);
        return source;
    }

    /**
     * What the server has said, or that it said nothing.
     *
     * @param before put before the server's error
     * @param failed what is behind it: the exception itself, or one around it
     */
    static RuntimeException translated(
            CoordinatorAddress address, String before, SQLException refused, Throwable failed) {
        ServerErrorMessage said = said(refused);
        if (said == null || ServerConnection.isLoss(refused.getSQLState())) {
            return new CatalogUnavailableException("no connection to " + address + ": " + refused.getMessage(), failed);
        }
        return new StatementRefusedException(
                String.valueOf(said.getSQLState()),
                before + said.getMessage(),
                said.getDetail(),
                said.getHint(),
                failed);
    }

    /** What the server has said, or that the connection has failed, as what was refused in any case. */
    static StatementRefusedException refused(CoordinatorAddress address, SQLException refused, Throwable failed) {
        ServerErrorMessage said = said(refused);
        return said == null
                ? new StatementRefusedException(
                        CONNECTION_FAILURE, "no connection to " + address + ": " + refused.getMessage(), "", "", failed)
                : new StatementRefusedException(
                        String.valueOf(said.getSQLState()),
                        String.valueOf(said.getMessage()),
                        said.getDetail(),
                        said.getHint(),
                        failed);
    }

    private static @Nullable ServerErrorMessage said(SQLException refused) {
        return refused instanceof PSQLException known ? known.getServerErrorMessage() : null;
    }
}
