package dev.tenantry.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.UpkeepLimits;
import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.control.rebalance.RebalanceLimits;
import dev.tenantry.control.rebalance.plan.AutomaticRebalance;
import dev.tenantry.control.rebalance.plan.TimeWindow;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.support.Cluster;
import dev.tenantry.support.Eventually;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A cluster that was told to rebalances by itself, once, and then rests. */
class AutomaticRebalanceIT {

    private static final ControlLimits LIMITS = new ControlLimits(
            FeedLimits.DEFAULT,
            UpkeepLimits.DEFAULT,
            MoveLimits.DEFAULT,
            new RebalanceLimits(
                    Optional.of(new AutomaticRebalance.Limits(
                            TimeWindow.ALWAYS, 0.3, Duration.ofMillis(500), Duration.ofHours(1))),
                    Duration.ofMillis(100)));

    @Test
    void levelsNodesThatAreUneven() throws SQLException {
        try (Cluster cluster = Cluster.start(2, TlsSettings.NONE, LIMITS)) {
            try (Connection client = cluster.connect();
                    Statement statement = client.createStatement()) {
                statement.execute("SET tenantry.node = 'worker1'");
                for (int i = 1; i <= 3; i++) {
                    statement.execute("CREATE SCHEMA a" + i);
                }
            }
            Eventually.passes(() -> assertThat(run(cluster, "SELECT state || ' ' || description FROM citus_job_list()"))
                    .containsExactly("finished Automatic rebalance"));
            assertThat(run(cluster, "SELECT DISTINCT nodeport FROM citus_schemas"))
                    .hasSize(2);
            run(
                    cluster,
                    "SELECT tenantry_set_node_capacity('%s', %d, 10)"
                            .formatted(
                                    cluster.worker(1).host(), cluster.worker(1).port()));
            assertThat(run(cluster, "SELECT schema_name FROM tenantry_rebalance_plan()"))
                    .isNotEmpty();
            assertThat(run(cluster, "SELECT job_id FROM citus_job_list()")).hasSize(1);
        }
    }

    private static List<String> run(Cluster cluster, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (Connection client = cluster.connect();
                Statement statement = client.createStatement()) {
            if (statement.execute(sql)) {
                try (ResultSet rows = statement.getResultSet()) {
                    while (rows.next()) {
                        values.add(rows.getString(1));
                    }
                }
            }
        }
        return values;
    }
}
