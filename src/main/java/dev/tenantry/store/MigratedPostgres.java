package dev.tenantry.store;

import java.sql.Connection;
import java.util.concurrent.Callable;
import org.flywaydb.core.api.configuration.Configuration;
import org.flywaydb.core.internal.database.base.Database;
import org.flywaydb.core.internal.database.base.Table;
import org.flywaydb.core.internal.jdbc.JdbcConnectionFactory;
import org.flywaydb.core.internal.jdbc.StatementInterceptor;
import org.flywaydb.core.internal.jdbc.TransactionalExecutionTemplate;
import org.flywaydb.database.postgresql.PostgreSQLConnection;
import org.flywaydb.database.postgresql.PostgreSQLDatabase;
import org.flywaydb.database.postgresql.PostgreSQLDatabaseType;

/**
 * PostgreSQL as the migration tool knows it, but without the advisory lock by which it keeps other migrations out: any
 * role could hold that. {@link CatalogMigration} keeps them out by a lock that only superusers can take. The tool finds
 * this as a service, and prefers it to its own.
 */
public final class MigratedPostgres extends PostgreSQLDatabaseType {

    private static final int BEFORE_ALL_OTHERS = 100;

    @Override
    public int getPriority() {
        return BEFORE_ALL_OTHERS;
    }

    @Override
    public Database<?> createDatabase(
            Configuration configuration, JdbcConnectionFactory factory, StatementInterceptor interceptor) {
        return new PostgreSQLDatabase(configuration, factory, interceptor) {
            @Override
            protected PostgreSQLConnection doGetConnection(Connection connection) {
                return new WithoutLock(this, connection);
            }
        };
    }

    private static final class WithoutLock extends PostgreSQLConnection {

        WithoutLock(PostgreSQLDatabase database, Connection connection) {
            super(database, connection);
        }

        /** In one transaction, as the tool's own lock has it. */
        @Override
        @SuppressWarnings("rawtypes") // as the method that it overrides has it
        public <T> T lock(Table table, Callable<T> work) {
            return new TransactionalExecutionTemplate(getJdbcConnection(), true).execute(work);
        }
    }
}
