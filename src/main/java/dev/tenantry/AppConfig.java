package dev.tenantry;

import dev.tenantry.control.move.MoveLimits;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Positive;
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

    /**
     * How long the process goes on as if nothing had happened when it is told to stop, but for saying that it is not
     * ready: until then load balancers have noticed.
     */
    @WithDefault("PT0S")
    Duration stopDelay();

    /**
     * How long transactions may go on when the process is told to stop, in seconds. Then what runs is cancelled; a
     * commit over several nodes that has begun gets ten seconds more.
     */
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

    /** How connections to nodes are kept and shared. */
    Pool pool();

    /** How connections to nodes are kept and shared. */
    interface Pool {

        /** What a session may hold. */
        enum Mode {
            /** Every connection that it has used, until it ends. */
            SESSION,
            /** The same, but between its transactions others may take what they need. */
            TRANSACTION
        }

        /**
         * {@code session}: a session keeps the connections that it has used until it ends, and there is no limit.
         * {@code transaction}: there are {@code size} connections to a node at most; when all are in use, one whose
         * session rests between transactions is taken from it for another session that has work for the node.
         */
        @WithDefault("transaction")
        Mode mode();

        /**
         * In transaction mode, connections to each node, of all event loops together: each may have what is free, and a
         * fair part when others want some too.
         */
        @WithDefault("50")
        @Min(1)
        @Max(10000)
        int size();

        /** In transaction mode, how long a session waits for a connection before it is refused one with 53300. */
        @WithDefault("PT30S")
        @Positive
        Duration waitTimeout();

        /** In transaction mode, how many sessions may wait for connections at a time. */
        @WithDefault("10000")
        @Min(1)
        @Max(1000000)
        int waitersMax();

        /**
         * Connections to each node that are kept when their sessions have ended, for the next sessions of the same
         * role; in session mode, with the same start-up parameters. 0 keeps none. In transaction mode it is at least
         * {@code size}. They count against the node's {@code max_connections}, but make room when the node has none
         * left.
         */
        @WithDefault("0")
        @Min(0)
        @Max(10000)
        int idleMax();

        /** How long such a connection is kept when nobody takes it. */
        @WithDefault("PT1M")
        @Positive
        Duration idleTime();

        /**
         * How old a connection may be that is handed on; each ends up to a tenth of it earlier, so that not all end at
         * once.
         */
        @WithDefault("PT1H")
        @Positive
        Duration lifeTime();

        /** After how long without use the node must answer before the connection is handed on. */
        @WithDefault("PT5S")
        Duration checkDelay();
    }

    /** How schemas move between nodes. */
    Move move();

    /** When the cluster rebalances by itself. */
    Rebalance rebalance();

    /** When the cluster rebalances by itself. */
    interface Rebalance {

        /**
         * Whether it does so at all. It does what {@code citus_rebalance_start()} does, with the default strategy, and
         * ends when nodes are within the strategy's threshold.
         */
        @WithDefault("false")
        boolean automatic();

        /**
         * When it may, every day, as {@code HH:MM-HH:MM}; the same time twice is the whole day. At the end of it moves
         * that run go on, and no other begins.
         */
        @WithDefault("00:00-00:00")
        String window();

        /** Whose time that is: a zone's name, for example {@code Europe/Berlin}. */
        @WithDefault("UTC")
        String zone();

        /**
         * From which imbalance on it does: how far the node with the most or the least is from the average, as a part
         * of it. Should be well above the strategy's threshold, or every small change is followed by moves.
         */
        @WithDefault("0.3")
        @DecimalMin("0.01")
        double imbalance();

        /** How long the nodes must have been that uneven. */
        @WithDefault("PT10M")
        Duration patience();

        /** How long after the end of a rebalance the next one may begin by itself. */
        @WithDefault("PT1H")
        Duration pause();

        /** How often nodes are looked at for that. */
        @WithDefault("PT1M")
        @Positive
        Duration interval();
    }

    /** How schemas move between nodes. */
    interface Move {

        /**
         * How long clients of a schema may be made to wait by one attempt to switch it to its new node; when that is
         * not enough, all goes on as before and it is tried again later.
         */
        @WithDefault("PT0.5S")
        @Positive
        Duration cutOverMax();

        /** How long writers may be made to wait by what a move does before; it is tried again later, too. */
        @WithDefault("PT0.2S")
        @Positive
        Duration lockMax();

        /** For how long the target may come no nearer to a source that is written to; then the move is undone. */
        @WithDefault("PT1H")
        @Positive
        Duration catchUpMax();

        /** How many connections to each of its nodes one move copies rows, and to its target builds indexes, over. */
        @WithDefault("2")
        @Min(1)
        @Max(64)
        int copyConnections();

        /** How many moves may use a node at a time; further ones wait. */
        @WithDefault("2")
        @Min(1)
        @Max(100)
        int perNode();

        /** How long the old copy is kept after the switch, under the name {@code tenantry_old_<move>}. */
        @WithDefault("PT0S")
        Duration keepSource();

        /**
         * What is compared before the switch, besides the definitions: {@code none}, {@code counts} of rows, or
         * {@code checksums} of all values.
         */
        @WithDefault("checksums")
        MoveLimits.Comparison comparison();
    }
}
