package dev.tenantry.store;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jboss.logging.Logger;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLException;

/** Brings schema {@code tenantry} on the coordinator to the version this program needs; several may try at once. */
public final class CatalogMigration {

    private static final Logger LOG = Logger.getLogger(CatalogMigration.class);
    private static final String SCHEMA = "tenantry";
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    /** Longer than any migration takes. */
    private static final int OTHERS_SECONDS = 60;

    /**
     * Who installs holds this: a lock on a catalog that is there before anything of ours, which neither users nor the
     * database's owner can take, and which no statement but SECURITY LABEL on roles and databases comes near.
     */
    private static final String KEEP_OTHERS_OUT = "LOCK TABLE pg_catalog.pg_shseclabel IN SHARE UPDATE EXCLUSIVE MODE";

    /**
     * The advisory lock by which processes of former versions keep each other out: the number is the migration tool's.
     * Any role may hold it, so it is waited for only for as long as such a process might install.
     */
    private static final long FORMER_LOCK = 77431708279161L + "\"tenantry\".\"flyway_schema_history\"".hashCode();

    private static final int FORMER_SECONDS = 5;

    /** The limits of a role or a database are not meant for what is done once. */
    private static final String NO_LIMITS =
            "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0";

    /** PostgreSQL before 17 does not know it. */
    private static final String NO_TRANSACTION_LIMIT = "SELECT pg_catalog.set_config('transaction_timeout', '0', false)"
            + " WHERE pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL";

    private CatalogMigration() {}

    /**
     * Runs what is missing.
     *
     * @throws StatementRefusedException if the server refuses a part of it, which has then not happened
     * @throws CatalogUnavailableException if the server does not answer, or goes away
     */
    public static void migrate(CoordinatorAddress coordinator) {
        PGSimpleDataSource source = ServerDataSource.of(coordinator, "tenantry migration");
        source.setOptions(NO_LIMITS);
        try (Connection alone = source.getConnection();
                Statement statement = alone.createStatement()) {
            statement.execute(NO_TRANSACTION_LIMIT);
            alone.setAutoCommit(false); // until it is closed
            keepFormerOut(alone, statement); // first, so that many who wait for that in vain wait at the same time
            statement.execute("SET lock_timeout = '" + OTHERS_SECONDS + "s'");
            statement.execute(KEEP_OTHERS_OUT);
            flyway(source).migrate();
        } catch (SQLException failed) {
            throw refusal(coordinator, failed, failed);
        } catch (FlywayException failed) {
            throw reason(coordinator, failed);
        }
    }

    private static void keepFormerOut(Connection alone, Statement statement) throws SQLException {
        Savepoint before = alone.setSavepoint();
        try {
            statement.execute("SET LOCAL lock_timeout = '" + FORMER_SECONDS + "s'");
            statement.execute("SELECT pg_catalog.pg_advisory_xact_lock(" + FORMER_LOCK + ")");
        } catch (SQLException refused) {
            if (!LOCK_NOT_AVAILABLE.equals(refused.getSQLState())) {
                throw refused;
            }
            alone.rollback(before);
            LOG.warnf("installs without the lock of former versions, which somebody holds key=%d", FORMER_LOCK);
        }
    }

    private static Flyway flyway(PGSimpleDataSource source) {
        // Names lead to the catalog and the system's schema: what others have made in public must not be taken for it.
        source.setOptions(
                NO_LIMITS + " -c tenantry.schema_ddl=on -c client_min_messages=warning -c search_path=pg_temp");
        return Flyway.configure()
                .dataSource(source)
                .initSql(NO_TRANSACTION_LIMIT)
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
