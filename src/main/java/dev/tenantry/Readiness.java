package dev.tenantry;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;

/**
 * Ready when clients can sign in: the proxy listens and has a catalog. A coordinator that is away changes nothing:
 * sessions on workers start and work by the catalog as it was last read. How old that is, is told.
 */
@ApplicationScoped
@org.eclipse.microprofile.health.Readiness
final class Readiness implements HealthCheck {

    private final Service service;

    Readiness(Service service) {
        this.service = service;
    }

    @Override
    public HealthCheckResponse call() {
        Optional<Tenantry> running = service.running();
        if (running.isEmpty()) {
            return HealthCheckResponse.down("proxy");
        }
        return HealthCheckResponse.named("proxy")
                .up()
                .withData("catalogVersion", running.get().catalog().current().version())
                .withData(
                        "catalogAgeSeconds",
                        Duration.between(running.get().catalogConfirmed(), Instant.now())
                                .toSeconds())
                .build();
    }
}
