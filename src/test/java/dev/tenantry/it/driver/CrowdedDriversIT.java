package dev.tenantry.it.driver;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/** The drivers' tests again, where there are more sessions than connections to the nodes. */
class CrowdedDriversIT {

    private static Crowd crowd;

    @BeforeAll
    static void gather() throws IOException {
        crowd = Crowd.start();
    }

    @AfterAll
    static void leave() {
        crowd.close();
    }

    @Nested
    class PgJdbc extends PgJdbcIT {
        @Override
        String jdbcUrl() {
            return crowd.jdbcUrl();
        }
    }

    @Nested
    class VertxPgClient extends VertxPgClientIT {
        @Override
        int port() {
            return crowd.port();
        }
    }

    @Nested
    class NodePostgres extends NodePostgresIT {
        @Override
        String url() {
            return crowd.url();
        }
    }

    @Nested
    class Psycopg2 extends Psycopg2IT {
        @Override
        String url() {
            return crowd.url();
        }
    }

    @Nested
    class Hibernate extends HibernateIT {
        @Override
        String jdbcUrl() {
            return crowd.jdbcUrl();
        }
    }
}
