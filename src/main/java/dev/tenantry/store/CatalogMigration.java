package dev.tenantry.store;

import org.flywaydb.core.Flyway;
import org.postgresql.ds.PGSimpleDataSource;

/** Brings schema {@code tenantry} on the coordinator to the version this program needs; several may try at once. */
public final class CatalogMigration {

    private static final String SCHEMA = "tenantry";
    private static final int CONNECT_SECONDS = 10;

    private CatalogMigration() {}

    /** Runs what is missing. */
    public static void migrate(CoordinatorAddress coordinator) {
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
        Flyway.configure()
                .dataSource(source)
                .schemas(SCHEMA)
                .defaultSchema(SCHEMA)
                .createSchemas(true)
                .validateMigrationNaming(true)
                .locations("classpath:db/migration")
                .load()
                .migrate();
    }
}
