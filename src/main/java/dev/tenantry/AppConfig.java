package dev.tenantry;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What this process is to do: where it listens, and which servers make the cluster. */
@ConfigMapping(prefix = "tenantry")
public interface AppConfig {

    /** The key of {@link #coordinator()}. */
    String COORDINATOR = "tenantry.coordinator";

    /** The key of {@link #worker()}. */
    String WORKER = "tenantry.worker";

    /** The beginning of the keys of {@link #embedded()}. */
    String EMBEDDED = "tenantry.embedded.";

    /** The address clients connect to; loopback, unless others shall reach it. */
    @WithDefault("127.0.0.1")
    String host();

    /** The port clients connect to. */
    @WithDefault("6432")
    @Min(0)
    @Max(65_535)
    int port();

    /** How long to wait for a coordinator that can't be reached at the start, in seconds. */
    @WithDefault("30")
    @Min(0)
    @Max(86_400)
    int startWaitSeconds();

    /** How long running statements may go on when the process is told to stop, in seconds. */
    @WithDefault("10")
    @Min(0)
    @Max(3_600)
    int stopGraceSeconds();

    /** An existing coordinator, {@code postgresql://superuser:password@host:port/database}; none is embedded then. */
    Optional<String> coordinator();

    /** Existing workers to add when they are not there yet, {@code host:port}. */
    Optional<List<String>> worker();

    /** The servers we start ourselves. */
    Embedded embedded();

    /** The embedded cluster. */
    interface Embedded {

        /** How many workers beside the coordinator. */
        @WithDefault("2")
        @Min(0)
        @Max(64)
        int workers();

        /** The folder that keeps the servers' data. */
        @WithDefault("./data")
        String data();

        /** The {@code bin} folder of another PostgreSQL 15 to 18 installation. */
        Optional<String> pgBin();
    }

    /** How connections to nodes are kept that no session holds. */
    Pool pool();

    /** How connections to nodes are kept that no session holds. */
    interface Pool {

        /**
         * Connections to each node that are kept when their sessions have ended, for the next sessions of the same role
         * with the same start-up parameters; 0 keeps none. They count against the node's {@code max_connections}, but
         * make room when the node has none left.
         */
        @WithDefault("50")
        @Min(0)
        @Max(10000)
        int idleMax();

        /** How long such a connection is kept when nobody takes it. */
        @WithDefault("PT1M")
        Duration idleTime();

        /**
         * How old a connection may be that is handed on; each ends up to a tenth of it earlier, so that not all end at
         * once.
         */
        @WithDefault("PT1H")
        Duration lifeTime();

        /** After how long without use the node must answer before the connection is handed on. */
        @WithDefault("PT5S")
        Duration checkDelay();
    }
}
