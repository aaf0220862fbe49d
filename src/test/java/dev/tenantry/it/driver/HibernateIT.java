package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.Cluster;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.SequenceGenerator;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.BatchSettings;
import org.hibernate.cfg.Configuration;
import org.hibernate.cfg.MultiTenancySettings;
import org.hibernate.engine.jdbc.connections.spi.MultiTenantConnectionProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Hibernate with a schema for each tenant: a pool of connections, each with the schema of the tenant it works for.
 * Numbers are allocated one by one: for more, Hibernate has threads wait for the one that asks the sequence while their
 * transactions hold connections, so that it needs one for each of them.
 */
class HibernateIT {

    private static final List<String> TENANTS = List.of("hibernate_one", "hibernate_two", "hibernate_three");
    private static final int CONNECTIONS = 6;
    private static final int ROUNDS = 5;

    @Entity(name = "Note")
    @Table(name = "notes")
    static class Note {
        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "notes_seq")
        @SequenceGenerator(name = "notes_seq", allocationSize = 1)
        private long id;

        @Version
        private int version;

        private String message = "";

        protected Note() {}

        Note(String message) {
            this.message = message;
        }
    }

    /** As Hibernate's documentation has it: the connection is given its tenant's schema, and the default one back. */
    private static final class Connections implements MultiTenantConnectionProvider<Object> {
        private static final long serialVersionUID = 1;
        private final transient BlockingQueue<Connection> free = new ArrayBlockingQueue<>(CONNECTIONS);

        Connections(String url) throws SQLException {
            for (int i = 0; i < CONNECTIONS; i++) {
                free.add(DriverManager.getConnection(url));
            }
        }

        @Override
        public Connection getAnyConnection() throws SQLException {
            try {
                Connection taken = free.poll(60, TimeUnit.SECONDS);
                if (taken == null) {
                    throw new SQLException("no connection is free");
                }
                return taken;
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new SQLException(interrupted);
            }
        }

        @Override
        public void releaseAnyConnection(Connection connection) {
            free.add(connection);
        }

        @Override
        public Connection getConnection(Object tenant) throws SQLException {
            Connection taken = getAnyConnection();
            taken.setSchema((String) tenant);
            return taken;
        }

        @Override
        public void releaseConnection(Object tenant, Connection connection) throws SQLException {
            connection.setSchema("public");
            releaseAnyConnection(connection);
        }

        @Override
        public boolean supportsAggressiveRelease() {
            return true;
        }

        @Override
        public boolean isUnwrappableAs(Class<?> type) {
            return false;
        }

        @Override
        public <T> T unwrap(Class<T> type) {
            throw new UnsupportedOperationException();
        }

        void close() throws SQLException {
            for (Connection connection : free) {
                connection.close();
            }
        }
    }

    private Connections connections;
    private SessionFactory factory;

    /** What the driver is to talk to. */
    String jdbcUrl() {
        return Cluster.shared().jdbcUrl();
    }

    @BeforeEach
    void open() throws SQLException {
        try (Connection connection = Cluster.shared().connect();
                Statement sql = connection.createStatement()) {
            for (String tenant : TENANTS) {
                sql.execute("CREATE SCHEMA " + tenant);
                sql.execute("CREATE TABLE " + tenant + ".notes (id bigint PRIMARY KEY, version int NOT NULL,"
                        + " message text NOT NULL UNIQUE)");
                sql.execute("CREATE SEQUENCE " + tenant + ".notes_seq");
            }
        }
        connections = new Connections(jdbcUrl() + "&prepareThreshold=1");
        Configuration configuration = new Configuration().addAnnotatedClass(Note.class);
        configuration.getProperties().put(MultiTenancySettings.MULTI_TENANT_CONNECTION_PROVIDER, connections);
        configuration.setProperty(BatchSettings.STATEMENT_BATCH_SIZE, "10");
        factory = configuration.buildSessionFactory();
    }

    @AfterEach
    void close() throws SQLException {
        factory.close();
        connections.close();
        try (Connection connection = Cluster.shared().connect();
                Statement sql = connection.createStatement()) {
            sql.execute("DROP SCHEMA " + String.join(", ", TENANTS) + " CASCADE");
        }
    }

    @Test
    void servesTenantsFromOnePool() throws Exception {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < 2 * TENANTS.size(); i++) {
                String tenant = TENANTS.get(i % TENANTS.size());
                String writer = tenant + " " + i;
                all.add(CompletableFuture.runAsync(() -> work(tenant, writer), threads));
            }
            for (CompletableFuture<Void> one : all) {
                one.get(90, TimeUnit.SECONDS);
            }
        }
        for (String tenant : TENANTS) {
            try (Session session = session(tenant)) {
                assertThat(messages(session)).hasSize(2 * ROUNDS * 3).allMatch(message -> message.startsWith(tenant));
            }
        }
    }

    private void work(String tenant, String writer) {
        for (int round = 0; round < ROUNDS; round++) {
            String first = writer + " " + round;
            try (Session session = session(tenant)) {
                session.beginTransaction();
                Note changed = new Note(first);
                session.persist(changed);
                session.persist(new Note(first + " second"));
                session.persist(new Note(first + " third"));
                session.getTransaction().commit();
                session.beginTransaction();
                changed.message = first + " changed";
                session.getTransaction().commit();
                assertThat(changed.version).isOne();
                assertThat(messages(session)).allMatch(message -> message.startsWith(tenant));
            }
            try (Session session = session(tenant)) {
                session.beginTransaction();
                session.persist(new Note(first + " second"));
                assertThatThrownBy(session::flush).hasMessageContaining("notes_message_key");
                session.getTransaction().rollback();
            }
        }
    }

    private Session session(String tenant) {
        return factory.withOptions().tenantIdentifier((Object) tenant).openSession();
    }

    private static List<String> messages(Session session) {
        return session.createSelectionQuery("from Note", Note.class)
                .getResultStream()
                .map(note -> note.message)
                .toList();
    }
}
