package dev.tenantry.store;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * How the control plane's connections to servers are encrypted.
 *
 * @param mode as libpq's {@code sslmode}
 * @param rootCertificates the PEM file of the certificates that may vouch for a server; needed where it is verified
 */
public record ServerTls(Mode mode, Optional<Path> rootCertificates) {

    /** No TLS. */
    public static final ServerTls NONE = new ServerTls(Mode.DISABLE, Optional.empty());

    /** Refuses to verify against nothing. */
    public ServerTls {
        if (mode.verifies() && rootCertificates.isEmpty()) {
            throw new IllegalArgumentException("verification of nodes needs the PEM file of root certificates");
        }
    }

    /** What is asked of the server. */
    public enum Mode {
        /** No TLS. */
        DISABLE,
        /** TLS if the server has it; whoever the server is. */
        PREFER,
        /** TLS, whoever the server is. */
        REQUIRE,
        /** TLS, and the server's certificate is vouched for. */
        VERIFY_CA,
        /** TLS, and the server's certificate is vouched for and bears the host name we connect to. */
        VERIFY_FULL;

        /** Whether certificates are looked at. */
        boolean verifies() {
            return this == VERIFY_CA || this == VERIFY_FULL;
        }

        /** The word in libpq's {@code sslmode}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
