package dev.tenantry.store;

import java.sql.SQLException;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLException;

/** Brings schema {@code tenantry} on the coordinator to the version this program needs; several may try at once. */
public final class CatalogMigration {

    private static final String SCHEMA = "tenantry";

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
        PGSimpleDataSource source = ServerDataSource.of(coordinator, "tenantry migration");
        // Names lead to the catalog and the system's schema: what others have made in public must not be taken for it.
        source.setOptions("-c tenantry.schema_ddl=on -c client_min_messages=warning -c search_path=pg_temp");
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
        return cause instanceof PSQLException refused
                ? ServerDataSource.translated(
                        coordinator, "the catalog can't be installed on " + coordinator + ": ", refused, failed)
                : failed;
    }
}
