package dev.tenantry.client;

import dev.tenantry.proxy.net.TlsContexts;
import dev.tenantry.proxy.net.TlsException;
import dev.tenantry.proxy.net.TlsSettings;
import dev.tenantry.proxy.net.TlsSettings.NodeMode;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * How a client's connection is encrypted.
 *
 * @param mode as libpq's {@code sslmode}
 * @param rootCertificates the PEM file of the certificates that may vouch for the server; needed where it is verified
 */
public record Encryption(NodeMode mode, Optional<Path> rootCertificates) {

    /** TLS if the server has it, whoever the server is. */
    public static final Encryption PREFERRED = new Encryption(NodeMode.PREFER, Optional.empty());

    private static final String MODE = "sslmode";
    private static final String ROOTS = "sslrootcert";

    /** Refuses to verify against nothing. */
    public Encryption {
        if (verifies(mode) && rootCertificates.isEmpty()) {
            throw new IllegalArgumentException(
                    "sslmode=" + word(mode) + " needs sslrootcert, the PEM file of root certificates");
        }
    }

    /**
     * Reads the parameters of an address as libpq does: TLS is preferred if nothing is said, and who requires it and
     * names root certificates has the server verified.
     *
     * @throws IllegalArgumentException if there is another parameter, or a value is unknown
     */
    static Encryption of(Map<String, String> parameters) {
        for (String name : parameters.keySet()) {
            if (!name.equals(MODE) && !name.equals(ROOTS)) {
                throw new IllegalArgumentException("an address takes sslmode and sslrootcert, not " + name);
            }
        }
        Optional<Path> roots = Optional.ofNullable(parameters.get(ROOTS)).map(Encryption::roots);
        NodeMode mode = mode(parameters.getOrDefault(MODE, word(NodeMode.PREFER)));
        return new Encryption(mode == NodeMode.REQUIRE && roots.isPresent() ? NodeMode.VERIFY_CA : mode, roots);
    }

    private static Path roots(String file) {
        if (file.equals("system")) {
            throw new IllegalArgumentException("sslrootcert=system is not supported; name a PEM file with the system's"
                    + " certificates, such as /etc/ssl/certs/ca-certificates.crt");
        }
        return Path.of(file);
    }

    private static NodeMode mode(String word) {
        for (NodeMode mode : NodeMode.values()) {
            if (word(mode).equals(word)) {
                return mode;
            }
        }
        throw new IllegalArgumentException("sslmode is disable, prefer, require, verify-ca or verify-full, not " + word
                + (word.equals("allow") ? "; take prefer, which has TLS where the server has it" : ""));
    }

    private static String word(NodeMode mode) {
        return mode.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static boolean verifies(NodeMode mode) {
        return mode == NodeMode.VERIFY_CA || mode == NodeMode.VERIFY_FULL;
    }

    /**
     * What encrypts, if anything shall.
     *
     * @throws InsecureException if the root certificates can't be read
     */
    Optional<TlsContexts.NodeTls> contexts() throws InsecureException {
        try {
            return new TlsContexts(new TlsSettings(
                            TlsSettings.ClientMode.DISABLE, Optional.empty(), Optional.empty(), mode, rootCertificates))
                    .forNodes();
        } catch (TlsException unusable) {
            throw new InsecureException(String.valueOf(unusable.getMessage()), unusable);
        }
    }
}
