package dev.tenantry.client;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Where a server is, and who signs in there.
 *
 * @param host name or address, without brackets
 * @param port TCP port
 * @param database the database
 * @param user the role
 * @param password its password; empty when the server asks for none
 */
public record ServerAddress(String host, int port, String database, String user, String password) {
    private static final int DEFAULT_PORT = 5432;

    /**
     * Reads {@code postgresql://user:password@host:port/database}, as {@code ./tenantry up} prints it.
     *
     * @throws IllegalArgumentException if it is anything else; the message never shows the password
     */
    public static ServerAddress parse(String url) {
        URI uri = URI.create(url.matches("postgres(ql)?://[^@/?#\\s]+@[^@/?#\\s]+/[^/?#\\s]+") ? url : "");
        if (uri.getHost() == null) {
            throw new IllegalArgumentException("an address is postgresql://user:password@host:port/database");
        }
        String[] login = uri.getRawUserInfo().split(":", 2);
        return new ServerAddress(
                uri.getHost().replaceAll("[\\[\\]]", ""),
                uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
                decoded(uri.getRawPath().substring(1)),
                decoded(login[0]),
                login.length < 2 ? "" : decoded(login[1]));
    }

    /** The same server for another role. */
    public ServerAddress as(String otherUser, String otherPassword) {
        return new ServerAddress(host, port, database, otherUser, otherPassword);
    }

    /** The same role and database elsewhere. */
    public ServerAddress at(String otherHost, int otherPort) {
        return new ServerAddress(otherHost, otherPort, database, user, password);
    }

    private static String decoded(String part) {
        return URLDecoder.decode(part.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** Says nothing of the password. */
    @Override
    public String toString() {
        return host + ":" + port + "/" + database;
    }
}
