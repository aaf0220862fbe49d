package dev.tenantry.proxy.net;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * The TLS of both sides, made from the files that the settings name. What {@link #forClients()} and {@link #forNodes()}
 * give is immutable and may be used by any thread; {@link #reloadIfChanged()} reads files and belongs off the event
 * loops.
 */
public final class TlsContexts {

    /** The only application protocol accepted and offered; a client that begins with TLS at once must name it. */
    public static final String ALPN_PROTOCOL = "postgresql";

    private static final String[] TLS_VERSIONS = {"TLSv1.3", "TLSv1.2"};

    private final TlsSettings settings;
    private volatile Loaded loaded;

    /**
     * Reads the files.
     *
     * @throws TlsException if one is missing or can't be used
     */
    public TlsContexts(TlsSettings settings) {
        this.settings = settings;
        this.loaded = load(settings);
    }

    private record Loaded(List<String> files, Optional<ClientTls> clients, Optional<NodeTls> nodes) {}

    /** TLS towards clients, if there is any. */
    public Optional<ClientTls> forClients() {
        return loaded.clients();
    }

    /** TLS towards nodes, if there is any. */
    public Optional<NodeTls> forNodes() {
        return loaded.nodes();
    }

    /** What the contexts were made from. */
    public TlsSettings settings() {
        return settings;
    }

    /**
     * Reads the files again if one of them has changed; connections that exist keep what they have.
     *
     * @return whether there was a change
     * @throws TlsException if the new files can't be used; the old ones stay in use
     */
    public synchronized boolean reloadIfChanged() {
        if (fingerprints(settings).equals(loaded.files())) {
            return false;
        }
        loaded = load(settings);
        return true;
    }

    /** TLS of connections that clients open. */
    public static final class ClientTls {

        private final SslContext context;
        private final Optional<byte[]> serverEndPoint;

        private ClientTls(SslContext context, Optional<byte[]> serverEndPoint) {
            this.context = context;
            this.serverEndPoint = serverEndPoint;
        }

        /** A handler for one connection; its handshake starts when it is added to a pipeline. */
        public SslHandler newHandler(ByteBufAllocator allocator) {
            return context.newHandler(allocator);
        }

        /** The hash of our certificate for channel binding, if its signature algorithm defines one. */
        public Optional<byte[]> serverEndPoint() {
            return serverEndPoint.map(byte[]::clone);
        }

        /** Whether a client that began with TLS at once has named our protocol, as it must. */
        public static boolean hasNamedProtocol(SslHandler handler) {
            return ALPN_PROTOCOL.equals(handler.applicationProtocol());
        }
    }

    /** TLS of connections that we open to nodes. */
    public static final class NodeTls {

        private final SslContext context;
        private final String identification;

        private NodeTls(SslContext context, String identification) {
            this.context = context;
            this.identification = identification;
        }

        /** A handler for one connection to that node; its certificate is checked as the settings say. */
        public SslHandler newHandler(ByteBufAllocator allocator, String host, int port) {
            return context.newHandler(allocator, host, port);
        }

        /** The same over a blocking connection to that server; the handshake is the caller's to start. */
        public SSLSocket over(Socket plain, String host) throws IOException {
            SSLContext jdk = ((JdkSslContext) context).context();
            SSLSocket socket = (SSLSocket) jdk.getSocketFactory().createSocket(plain, host, plain.getPort(), true);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setProtocols(TLS_VERSIONS);
            parameters.setApplicationProtocols(new String[] {ALPN_PROTOCOL});
            parameters.setEndpointIdentificationAlgorithm(identification);
            socket.setSSLParameters(parameters);
            return socket;
        }

        /** The hash of the node's certificate for channel binding, after the handshake, if one is defined. */
        public static Optional<byte[]> serverEndPoint(SslHandler handler) {
            return serverEndPoint(handler.engine().getSession());
        }

        /** The same for a session after its handshake. */
        public static Optional<byte[]> serverEndPoint(SSLSession session) {
            try {
                Certificate[] chain = session.getPeerCertificates();
                return chain[0] instanceof X509Certificate certificate
                        ? TlsServerEndPoint.of(certificate)
                        : Optional.empty();
            } catch (SSLPeerUnverifiedException noCertificate) {
                return Optional.empty();
            }
        }
    }

    private static Loaded load(TlsSettings settings) {
        // The fingerprints come first: a change while we read is then found at the next look.
        List<String> files = fingerprints(settings);
        Optional<ClientTls> clients = settings.clientMode() == TlsSettings.ClientMode.DISABLE
                ? Optional.empty()
                : Optional.of(clientTls(settings));
        Optional<NodeTls> nodes = settings.nodeMode().asks() ? Optional.of(nodeTls(settings)) : Optional.empty();
        return new Loaded(files, clients, nodes);
    }

    private static ClientTls clientTls(TlsSettings settings) {
        Path certificateFile = settings.certificate()
                .orElseThrow(() -> new TlsException("TLS for clients needs the PEM file of a certificate"));
        Path keyFile = settings.key()
                .orElseThrow(() -> new TlsException("TLS for clients needs the PEM file of a private key"));
        List<X509Certificate> chain = PemFile.certificates(certificateFile);
        try {
            SslContext context = SslContextBuilder.forServer(
                            PemFile.privateKey(keyFile), chain.toArray(X509Certificate[]::new))
                    .sslProvider(SslProvider.JDK)
                    .protocols(TLS_VERSIONS)
                    .applicationProtocolConfig(alpn(ApplicationProtocolConfig.SelectorFailureBehavior.FATAL_ALERT))
                    .build();
            return new ClientTls(context, TlsServerEndPoint.of(chain.getFirst()));
        } catch (SSLException | IllegalArgumentException e) {
            throw new TlsException(
                    "certificate file \"" + certificateFile + "\" and private key file \"" + keyFile
                            + "\" can't be used together",
                    e);
        }
    }

    private static NodeTls nodeTls(TlsSettings settings) {
        String identification = settings.nodeMode() == TlsSettings.NodeMode.VERIFY_FULL ? "HTTPS" : "";
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .protocols(TLS_VERSIONS)
                .applicationProtocolConfig(alpn(ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE))
                .endpointIdentificationAlgorithm(identification);
        switch (settings.nodeMode()) {
            case VERIFY_CA, VERIFY_FULL -> {
                Path roots = settings.rootCertificates()
                        .orElseThrow(() ->
                                new TlsException("verification of nodes needs the PEM file of root certificates"));
                builder.trustManager(PemFile.certificates(roots));
            }
            case DISABLE, PREFER, REQUIRE -> builder.trustManager(InsecureTrustManagerFactory.INSTANCE);
        }
        try {
            return new NodeTls(builder.build(), identification);
        } catch (SSLException e) {
            throw new TlsException("TLS towards nodes can't be set up", e);
        }
    }

    private static ApplicationProtocolConfig alpn(ApplicationProtocolConfig.SelectorFailureBehavior onOther) {
        return new ApplicationProtocolConfig(
                ApplicationProtocolConfig.Protocol.ALPN,
                onOther,
                ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                ALPN_PROTOCOL);
    }

    private static List<String> fingerprints(TlsSettings settings) {
        return Stream.of(settings.certificate(), settings.key(), settings.rootCertificates())
                .flatMap(Optional::stream)
                .map(TlsContexts::fingerprint)
                .toList();
    }

    private static String fingerprint(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return file + " " + attributes.lastModifiedTime() + " " + attributes.size() + " " + attributes.fileKey();
        } catch (IOException e) {
            throw new TlsException("could not read file \"" + file + "\"", e);
        }
    }
}
