package dev.tenantry;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How the control plane follows the catalog and looks after the cluster. */
@ConfigMapping(prefix = "tenantry.control")
public interface ControlConfig {

    /** Following the catalog. */
    Catalog catalog();

    /** What one proxy at a time does for the whole cluster. */
    Upkeep upkeep();

    /** Following the catalog. */
    interface Catalog {

        /** How often the catalog is read when no change is notified, in milliseconds. */
        @WithDefault("2000")
        @Min(50)
        @Max(3_600_000)
        int pollMillis();

        /** How long the coordinator may take to accept a connection or to answer, in milliseconds. */
        @WithDefault("10000")
        @Min(100)
        @Max(600_000)
        int answerMillisMax();

        /** The longest pause between two attempts to reach a coordinator that is away, in milliseconds. */
        @WithDefault("5000")
        @Min(100)
        @Max(600_000)
        int reconnectPauseMillisMax();
    }

    /** What one proxy at a time does for the whole cluster. */
    interface Upkeep {

        /** How often nodes are looked through for prepared transactions that were left behind, in milliseconds. */
        @WithDefault("1000")
        @Min(100)
        @Max(3_600_000)
        int intervalMillis();

        /**
         * How long a prepared transaction is left to its proxy before it is finished for it, in milliseconds. Until
         * then a proxy that is only slow is spared; rows it holds locked wait that long after its death. Finished at
         * once is what was prepared before a restart of its node or of the deciding one, and what a stopped proxy has
         * prepared.
         */
        @WithDefault("5000")
        @Min(0)
        @Max(3_600_000)
        int preparedAgeMillisMin();

        /** How often the sizes of nodes are measured, by which new schemas are placed, in milliseconds. */
        @WithDefault("30000")
        @Min(100)
        @Max(86_400_000)
        int measureMillis();
    }
}
