package dev.tenantry;

import dev.tenantry.proxy.net.TlsSettings;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.util.Optional;

/** What the proxy allows and how it is encrypted. */
@ConfigMapping(prefix = "tenantry.proxy")
public interface ProxyConfig {

    /**
     * Threads of the data path; 0 for one to every two cores. Few loops find several messages each time they wake and
     * cost less CPU a query; where nothing else runs on the machine, one a core carries more.
     */
    @WithDefault("0")
    @Min(0)
    @Max(256)
    int eventLoops();

    /** Client connections at a time, those that have not signed in yet included; one more is refused with 53300. */
    @WithDefault("20000")
    @Min(1)
    int connectionsMax();

    /** How long a client may take to sign in, in milliseconds. */
    @WithDefault("60000")
    @Min(100)
    int authenticationTimeoutMillis();

    /** How long a node may take to accept a connection, in milliseconds. */
    @WithDefault("5000")
    @Min(10)
    int connectTimeoutMillis();

    /**
     * The longest Query, Parse or Bind message, in bytes, that is looked at as a whole, and so what a client can make
     * the proxy keep of a message. Of a longer one the first part decides where it goes, and all of it streams there.
     */
    @WithDefault("16777216")
    @Min(65536)
    @Max(268435456)
    int queryLengthMax();

    /**
     * Memory, in bytes, in which each event loop remembers what it has found in statements seen before; 0 for none.
     */
    @WithDefault("4194304")
    @Min(0)
    @Max(1073741824)
    long statementCacheBytesMax();

    /**
     * How long a statement waits whose schema or node is paused, in milliseconds, before it is refused with 55P03.
     */
    @WithDefault("30000")
    @Min(0)
    @Max(3_600_000)
    int pauseWaitTimeoutMillis();

    /** TLS with clients and nodes. */
    Tls tls();

    /** TLS with clients and nodes. */
    interface Tls {

        /** With clients: {@code disable}, {@code allow} or {@code require}. */
        @WithDefault("disable")
        TlsSettings.ClientMode clientMode();

        /** The certificate shown to clients, a PEM file with its chain. */
        Optional<String> certificate();

        /** The certificate's private key, a PEM file. */
        Optional<String> key();

        /** With nodes, as libpq's sslmode: {@code disable}, {@code prefer}, {@code require}, {@code verify-ca} or
         * {@code verify-full}. */
        @WithDefault("disable")
        TlsSettings.NodeMode nodeMode();

        /** The certificates that vouch for nodes, a PEM file. */
        Optional<String> nodeRootCertificate();
    }
}
