package dev.tenantry.store;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Where the coordinator is, and as whom the control plane signs in there and on every other node.
 *
 * @param host name or address, without brackets
 * @param port TCP port
 * @param database the one database of the cluster
 * @param user a superuser
 * @param password its password; empty when the server asks for none
 * @param tls how connections to every node are encrypted
 */
public record CoordinatorAddress(String host, int port, String database, String user, String password, ServerTls tls) {

    private static final int DEFAULT_PORT = 5432;

    /**
     * Reads {@code postgresql://user:password@host:port/database}; parts may be percent-encoded.
     *
     * @throws IllegalArgumentException if it is anything else; the message never shows the password
     */
    public static CoordinatorAddress parse(String url) {
        URI uri;
        try {
            uri = URI.create(url.trim());
        } catch (IllegalArgumentException malformed) {
            throw new IllegalArgumentException("the coordinator's address is not a URL: use " + form());
        }
        boolean known = "postgresql".equals(uri.getScheme()) || "postgres".equals(uri.getScheme());
        String userInfo = uri.getRawUserInfo();
        String path = uri.getRawPath();
        if (!known || uri.getHost() == null || userInfo == null || path == null || path.length() < 2) {
            throw new IllegalArgumentException("the coordinator's address is incomplete: use " + form());
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
            throw new IllegalArgumentException("the coordinator's address takes no parameters: use " + form());
        }
        int colon = userInfo.indexOf(':');
        String user = colon < 0 ? userInfo : userInfo.substring(0, colon);
        String password = colon < 0 ? "" : userInfo.substring(colon + 1);
        String host = uri.getHost();
        return new CoordinatorAddress(
                host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
                decoded(path.substring(1)),
                decoded(user),
                decoded(password),
                ServerTls.NONE);
    }

    /** The same cluster's node at another place: same database, user, password and encryption. */
    public CoordinatorAddress at(String otherHost, int otherPort) {
        return new CoordinatorAddress(otherHost, otherPort, database, user, password, tls);
    }

    /** The same server for another role. */
    public CoordinatorAddress as(String otherUser, String itsPassword) {
        return new CoordinatorAddress(host, port, database, otherUser, itsPassword, tls);
    }

    /** The same server, its connections encrypted like this. */
    public CoordinatorAddress with(ServerTls encryption) {
        return new CoordinatorAddress(host, port, database, user, password, encryption);
    }

    private static String form() {
        return "postgresql://user:password@host:port/database";
    }

    private static String decoded(String part) {
        return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** Host and port only: a log line must not show the password. */
    @Override
    public String toString() {
        return host + ":" + port + "/" + database;
    }
}
