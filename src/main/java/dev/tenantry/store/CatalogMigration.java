package dev.tenantry.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLException;

/** Brings schema {@code tenantry} on the coordinator to the version this program needs; several may try at once. */
public final class CatalogMigration {

    private static final String SCHEMA = "tenantry";

    /** Longer than any migration takes. */
    private static final int OTHERS_SECONDS = 60;

    /**
     * Who installs holds this: a lock on a catalog that is there before anything of ours, which neither users nor the
     * database's owner can take, and which no statement but SECURITY LABEL on roles and databases comes near.
     */
    private static final String KEEP_OTHERS_OUT = "LOCK TABLE pg_catalog.pg_shseclabel IN SHARE UPDATE EXCLUSIVE MODE";

    private CatalogMigration() {}

    /**
     * Runs what is missing.
     *
     * @throws StatementRefusedException if the server refuses a part of it, which has then not happened
     * @throws CatalogUnavailableException if the server does not answer, or goes away
     */
    public static void migrate(CoordinatorAddress coordinator) {
        PGSimpleDataSource source = ServerDataSource.of(coordinator, "tenantry migration");
        try (Connection alone = source.getConnection();
                Statement statement = alone.createStatement()) {
            alone.setAutoCommit(false); // until it is closed
            statement.execute("SET idle_in_transaction_session_timeout = 0");
            statement.execute("SET lock_timeout = '" + OTHERS_SECONDS + "s'");
            statement.execute(KEEP_OTHERS_OUT);
            flyway(source).migrate();
        } catch (SQLException failed) {
            throw refusal(coordinator, failed, failed);
        } catch (FlywayException failed) {
            throw reason(coordinator, failed);
        }
    }

    private static Flyway flyway(PGSimpleDataSource source) {
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
        return cause instanceof PSQLException refused ? refusal(coordinator, refused, failed) : failed;
    }

    private static RuntimeException refusal(CoordinatorAddress coordinator, SQLException refused, Exception failed) {
        return ServerDataSource.translated(
                coordinator, "the catalog can't be installed on " + coordinator + ": ", refused, failed);
    }
}
