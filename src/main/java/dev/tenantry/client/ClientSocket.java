package dev.tenantry.client;

import dev.tenantry.proxy.net.TlsContexts.NodeTls;
import dev.tenantry.wire.FrontendMessages;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;

/**
 * Connects and encrypts as the address says ("SSL Session Encryption" of the PostgreSQL manual).
 *
 * @param plain the connection to the server, to be closed in the end
 * @param socket what is read and written: the same, or TLS over it
 * @param serverEndPoint the hash of the server's certificate, if the connection is encrypted and the hash defined
 */
record ClientSocket(Socket plain, Socket socket, Optional<byte[]> serverEndPoint) {

    /**
     * Opens one.
     *
     * @param waitMillis how long connecting and each read may take
     * @throws InsecureException if it can't be as secure as the address asks for
     */
    static ClientSocket open(ServerAddress server, int waitMillis) throws IOException {
        Optional<NodeTls> tls = server.encryption().contexts();
        if (tls.isEmpty()) {
            return open(server, waitMillis, tls);
        }
        try {
            return open(server, waitMillis, tls);
        } catch (SSLException failed) {
            if (server.encryption().mode().insists()) {
                throw isDistrust(failed)
                        ? new InsecureException(server + " is not trusted: " + failed.getMessage(), failed)
                        : failed;
            }
            return open(server, waitMillis, Optional.empty()); // as libpq does, where TLS is only preferred
        }
    }

    private static boolean isDistrust(SSLException failed) {
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause instanceof GeneralSecurityException) {
                return true;
            }
        }
        return false;
    }

    private static ClientSocket open(ServerAddress server, int waitMillis, Optional<NodeTls> tls) throws IOException {
        Socket plain = new Socket();
        boolean complete = false;
        try {
            plain.connect(new InetSocketAddress(server.host(), server.port()), waitMillis);
            plain.setTcpNoDelay(true);
            plain.setSoTimeout(waitMillis);
            ClientSocket opened = tls.isPresent()
                    ? asking(server, plain, tls.get())
                    : new ClientSocket(plain, plain, Optional.empty());
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                plain.close();
            }
        }
    }

    private static ClientSocket asking(ServerAddress server, Socket plain, NodeTls tls) throws IOException {
        ByteBuf request = Unpooled.buffer(8);
        FrontendMessages.sslRequest(request);
        plain.getOutputStream().write(request.array(), 0, request.readableBytes());
        int answer = plain.getInputStream().read();
        if (answer == 'S') {
            SSLSocket encrypted = tls.over(plain, server.host());
            encrypted.startHandshake();
            return new ClientSocket(plain, encrypted, NodeTls.serverEndPoint(encrypted.getSession()));
        }
        if (answer != 'N') {
            throw new IOException(server + " does not answer a request for TLS as PostgreSQL does");
        }
        if (server.encryption().mode().insists()) {
            throw new InsecureException(server + " has no TLS, which sslmode asks for", null);
        }
        return new ClientSocket(plain, plain, Optional.empty());
    }
}
