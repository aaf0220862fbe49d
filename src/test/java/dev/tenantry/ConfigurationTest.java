package dev.tenantry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.control.ControlLimits;
import dev.tenantry.control.UpkeepLimits;
import dev.tenantry.control.move.MoveLimits;
import dev.tenantry.control.rebalance.RebalanceLimits;
import dev.tenantry.control.rebalance.plan.AutomaticRebalance;
import dev.tenantry.control.rebalance.plan.TimeWindow;
import dev.tenantry.store.FeedLimits;
import dev.tenantry.store.ServerTls;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the planes get from a configuration. */
class ConfigurationTest {

    private static Wiring wiring(Map<String, String> settings) {
        SmallRyeConfig config = new SmallRyeConfigBuilder()
                .withMapping(AppConfig.class)
                .withMapping(ProxyConfig.class)
                .withMapping(ControlConfig.class)
                .withDefaultValues(settings)
                .build();
        Vertx vertx = Vertx.vertx();
        try {
            return Wiring.of(
                    config.getConfigMapping(AppConfig.class),
                    config.getConfigMapping(ProxyConfig.class),
                    config.getConfigMapping(ControlConfig.class),
                    vertx,
                    new SimpleMeterRegistry());
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().join();
        }
    }

    @Test
    void givesTheControlPlaneItsDefaults() {
        assertThat(wiring(Map.of()).control()).isEqualTo(ControlLimits.DEFAULT);
        assertThat(wiring(Map.of()).serverTls()).isEqualTo(ServerTls.NONE);
    }

    @Test
    void givesTheControlPlaneWhatIsSet() {
        assertThat(wiring(Map.of(
                                "tenantry.control.catalog.poll-millis", "1",
                                "tenantry.control.catalog.answer-millis-max", "2",
                                "tenantry.control.catalog.reconnect-pause-millis-max", "3",
                                "tenantry.control.upkeep.interval-millis", "4",
                                "tenantry.control.upkeep.prepared-age-millis-min", "5",
                                "tenantry.control.upkeep.measure-millis", "6",
                                "tenantry.rebalance.automatic", "true",
                                "tenantry.rebalance.window", "22:00-05:00",
                                "tenantry.rebalance.imbalance", "0.4"))
                        .control())
                .isEqualTo(new ControlLimits(
                        new FeedLimits(Duration.ofMillis(1), Duration.ofMillis(2), Duration.ofMillis(3)),
                        new UpkeepLimits(Duration.ofMillis(4), Duration.ofMillis(5), Duration.ofMillis(6)),
                        MoveLimits.DEFAULT,
                        new RebalanceLimits(
                                Optional.of(new AutomaticRebalance.Limits(
                                        TimeWindow.parse("22:00-05:00", "UTC"),
                                        0.4,
                                        Duration.ofMinutes(10),
                                        Duration.ofHours(1))),
                                Duration.ofMinutes(1))));
        assertThatThrownBy(() -> wiring(Map.of("tenantry.rebalance.window", "at night")))
                .isInstanceOf(StartupException.class)
                .hasMessageContaining("tenantry.rebalance.window");
    }

    @Test
    void encryptsTheControlPlanesConnectionsAsTheDataPaths() {
        assertThat(wiring(Map.of(
                                "tenantry.proxy.tls.node-mode", "verify-ca",
                                "tenantry.proxy.tls.node-root-certificate", "/roots.pem"))
                        .serverTls())
                .isEqualTo(new ServerTls(ServerTls.Mode.VERIFY_CA, Optional.of(Path.of("/roots.pem"))));
        assertThatThrownBy(() -> wiring(Map.of("tenantry.proxy.tls.node-mode", "verify-full")))
                .isInstanceOf(StartupException.class)
                .hasMessageStartingWith("tenantry.proxy.tls.node-root-certificate is not set");
    }
}
