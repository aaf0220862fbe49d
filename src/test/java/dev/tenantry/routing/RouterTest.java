package dev.tenantry.routing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RouterTest {

    private static Refusal refusal(String sql, String path) {
        return ((Route.Refused) RoutingTableTest.route(sql, path)).refusal();
    }

    @Test
    void refusesTwoNodesWithBothNamesAndTheRemedy() {
        Refusal refusal = refusal("SELECT * FROM a.t JOIN c.t ON true", "");
        assertThat(refusal.sqlState()).isEqualTo("0A000");
        assertThat(refusal.message()).isEqualTo("statement uses schemas on different nodes");
        assertThat(refusal.detail())
                .isEqualTo("Schema \"a\" is on node \"w1\" (localhost:5433). Schema \"c\" is on node \"w2\""
                        + " (localhost:5434).");
        assertThat(refusal.hint()).contains("one statement for each schema");
    }

    @Test
    void refusesNamesOfTheSearchPathWithTheWayOut() {
        Refusal refusal = refusal("SELECT * FROM a.t, u", "\"Odd Name\"");
        assertThat(refusal.detail()).contains("\"a\"", "\"w1\"", "\"Odd Name\"", "\"w2\"");
        assertThat(refusal.hint()).contains("set search_path to \"a\"");
    }

    @Test
    void refusesClusterViewsBesideTenants() {
        Refusal refusal = refusal("SELECT * FROM citus_shards JOIN a.t ON true", "");
        assertThat(refusal.message()).contains("\"citus_shards\"");
        assertThat(refusal.detail()).contains("\"coord\"", "\"a\"", "\"w1\"");
    }

    @Test
    void refusesWhatEveryNodeWouldHaveToDoInABlock() {
        Refusal refusal = refusal("DO $$ BEGIN CREATE ROLE joe; END $$", "a");
        assertThat(refusal.sqlState()).isEqualTo("TN001");
        assertThat(refusal.message()).startsWith("CREATE ROLE is possible");
    }

    @Test
    void givesTheSameRouteAgain() {
        assertThat(RoutingTableTest.route("SELECT * FROM a.t", ""))
                .isSameAs(RoutingTableTest.route("UPDATE a.t SET x = 1", ""));
    }
}
