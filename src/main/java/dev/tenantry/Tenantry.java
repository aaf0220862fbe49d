package dev.tenantry;

import dev.tenantry.embedded.EmbeddedCluster;
import dev.tenantry.embedded.Superuser;
import org.jspecify.annotations.Nullable;

/** All the planes of one process, wired together: made in the order of their needs, closed in reverse. */
public final class Tenantry implements AutoCloseable {

    private final @Nullable EmbeddedCluster embedded;
    private final String url;

    private Tenantry(@Nullable EmbeddedCluster embedded, String url) {
        this.embedded = embedded;
        this.url = url;
    }

    /** Starts everything and returns when clients can connect. */
    public static Tenantry start(Servers servers) {
        return switch (servers) {
            case Servers.Embedded own -> {
                EmbeddedCluster cluster = EmbeddedCluster.start(own.settings());
                Superuser superuser = cluster.superuser();
                yield new Tenantry(
                        cluster,
                        "postgresql://%s:%s@127.0.0.1:%d/%s"
                                .formatted(
                                        superuser.name(),
                                        superuser.password(),
                                        cluster.coordinator().port(),
                                        superuser.database()));
            }
            case Servers.Existing existing -> new Tenantry(null, existing.coordinatorUrl());
        };
    }

    /** How clients reach it. */
    public String url() {
        return url;
    }

    @Override
    public void close() {
        if (embedded != null) {
            embedded.close();
        }
    }
}
