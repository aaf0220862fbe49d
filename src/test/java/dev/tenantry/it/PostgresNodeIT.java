package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.support.PostgresNode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** The fixture that other tests stand on. */
class PostgresNodeIT {

    @Test
    void killedNodeStaysDownUntilRestartedAndKeepsItsData() throws SQLException {
        try (PostgresNode node = PostgresNode.start("node")) {
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE kept AS SELECT 42 AS x");
            }
            node.kill();
            assertThatThrownBy(node::connect).isInstanceOf(SQLException.class);
            int port = node.port();
            node.restart();
            assertThat(node.port()).isEqualTo(port);
            try (Connection connection = node.connect();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT x FROM kept")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getInt(1)).isEqualTo(42);
            }
            assertThat(node.majorVersion()).isBetween(15, 18);
        }
    }

    @Test
    void verifierIsThatOfThePassword() {
        assertThat(ScramVerifier.parse(PostgresNode.VERIFIER).orElseThrow().matches("tenantry"))
                .isTrue();
    }
}
