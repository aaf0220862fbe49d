package dev.tenantry.proxy.net;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where TLS is used and with what.
 *
 * @param clientMode what clients may or must do
 * @param certificate the PEM file of our certificate and the ones that lead to its root, our own first
 * @param key the PEM file of its private key, not encrypted
 * @param nodeMode what we do towards nodes
 * @param rootCertificates the PEM file of the certificates that may vouch for a node
 */
public record TlsSettings(
        ClientMode clientMode,
        Optional<Path> certificate,
        Optional<Path> key,
        NodeMode nodeMode,
        Optional<Path> rootCertificates) {

    /** No TLS at all. */
    public static final TlsSettings NONE =
            new TlsSettings(ClientMode.DISABLE, Optional.empty(), Optional.empty(), NodeMode.DISABLE, Optional.empty());

    /** TLS between clients and us. */
    public enum ClientMode {
        /** TLS is refused. */
        DISABLE,
        /** The client chooses. */
        ALLOW,
        /** A client without TLS gets no session. */
        REQUIRE
    }

    /** TLS between us and nodes, as libpq's {@code sslmode}. */
    public enum NodeMode {
        /** No TLS. */
        DISABLE,
        /** TLS if the node has it; whoever the node is. */
        PREFER,
        /** TLS, whoever the node is. */
        REQUIRE,
        /** TLS, and the node's certificate is vouched for. */
        VERIFY_CA,
        /** TLS, and the node's certificate is vouched for and bears the host name we connect to. */
        VERIFY_FULL;

        /** Whether the node is asked for TLS. */
        public boolean asks() {
            return this != DISABLE;
        }

        /** Whether a node without TLS is not used. */
        public boolean insists() {
            return this != DISABLE && this != PREFER;
        }
    }
}
