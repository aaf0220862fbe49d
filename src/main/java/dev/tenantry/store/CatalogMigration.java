package dev.tenantry.store;

import java.sql.SQLException;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/** Brings schema {@code tenantry} on the coordinator to the version this program needs; several may try at once. */
public final class CatalogMigration {

    private static final String SCHEMA = "tenantry";
    private static final int CONNECT_SECONDS = 10;

    private CatalogMigration() {}

    /**
     * Runs what is missing.
     *
     * @throws StatementRefusedException if the server refuses a part of it, which has then not happened
     * @throws CatalogUnavailableException if the server does not answer, or goes away
     */
    public static void migrate(CoordinatorAddress coordinator) {
        try {
            flyway(coordinator).migrate();
        } catch (FlywayException failed) {
            throw reason(coordinator, failed);
        }
    }

    private static Flyway flyway(CoordinatorAddress coordinator) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {coordinator.host()});
        source.setPortNumbers(new int[] {coordinator.port()});
        source.setDatabaseName(coordinator.database());
        source.setUser(coordinator.user());
        source.setPassword(coordinator.password());
        source.setSslMode(coordinator.tls().mode().word());
        coordinator.tls().rootCertificates().ifPresent(file -> source.setSslRootCert(file.toString()));
        source.setApplicationName("tenantry migration");
        source.setConnectTimeout(CONNECT_SECONDS);
        source.setOptions("-c tenantry.schema_ddl=on -c client_min_messages=warning");
        return Flyway.configure()
                .dataSource(source)
                .schemas(SCHEMA)
                .defaultSchema(SCHEMA)
                .createSchemas(true)
                .validateMigrationNaming(true)
                .locations("classpath:db/migration")
                .load();
    }

    /** What the server has said, without the migration tool's words around it. */
    private static RuntimeException reason(CoordinatorAddress coordinator, FlywayException failed) {
        Throwable cause = failed;
        while (cause != null && !(cause instanceof SQLException)) {
            cause = cause.getCause();
        }
        if (!(cause instanceof PSQLException refused)) {
            return failed;
        }
        ServerErrorMessage said = refused.getServerErrorMessage();
        if (said == null || ServerConnection.isLoss(refused.getSQLState())) {
            return new CatalogUnavailableException(
                    "no connection to " + coordinator + ": " + refused.getMessage(), failed);
        }
        return new StatementRefusedException(
                String.valueOf(said.getSQLState()),
                "the catalog can't be installed on " + coordinator + ": " + said.getMessage(),
                said.getDetail(),
                said.getHint(),
                failed);
    }
}
