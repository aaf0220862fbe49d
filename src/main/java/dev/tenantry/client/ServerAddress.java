package dev.tenantry.client;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a server is, and who signs in there.
 *
 * @param host name or address, without brackets
 * @param port TCP port
 * @param database the database
 * @param user the role
 * @param password its password; empty when the server asks for none
 * @param encryption how the connection is encrypted
 */
public record ServerAddress(
        String host, int port, String database, String user, String password, Encryption encryption) {
    private static final int DEFAULT_PORT = 5432;
    private static final String FORM = "postgres(ql)?://[^@/?#\\s]+@[^@/?#\\s]+/[^/?#\\s]+(\\?[^#\\s]*)?";

    /** One with TLS if the server has it. */
    public ServerAddress(String host, int port, String database, String user, String password) {
        this(host, port, database, user, password, Encryption.PREFERRED);
    }

    /**
     * Reads {@code postgresql://user:password@host:port/database}, as {@code ./tenantry up} prints it, behind which
     * {@code ?sslmode=...&sslrootcert=...} may come.
     *
     * @throws IllegalArgumentException if it is anything else; the message never shows the password
     */
    public static ServerAddress parse(String url) {
        URI uri = uri(url);
        String[] login = uri.getRawUserInfo().split(":", 2);
        return new ServerAddress(
                uri.getHost().replaceAll("[\\[\\]]", ""),
                uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
                decoded(uri.getRawPath().substring(1)),
                decoded(login[0]),
                login.length < 2 ? "" : decoded(login[1]),
                Encryption.of(parameters(uri.getRawQuery())));
    }

    /** Its errors would show the password. */
    private static URI uri(String url) {
        try {
            URI uri = new URI(url.matches(FORM) ? url : "");
            if (uri.getHost() != null) {
                return uri;
            }
        } catch (URISyntaxException malformed) {
            // said below
        }
        throw new IllegalArgumentException("an address is postgresql://user:password@host:port/database");
    }

    private static Map<String, String> parameters(@Nullable String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (query != null && !query.isEmpty()) {
            for (String parameter : query.split("&", -1)) {
                String[] pair = parameter.split("=", 2);
                parameters.put(decoded(pair[0]), pair.length < 2 ? "" : decoded(pair[1]));
            }
        }
        return parameters;
    }

    /** The same server for another role. */
    public ServerAddress as(String otherUser, String otherPassword) {
        return new ServerAddress(host, port, database, otherUser, otherPassword, encryption);
    }

    /** The same role and database elsewhere, encrypted in the same way. */
    public ServerAddress at(String otherHost, int otherPort) {
        return new ServerAddress(otherHost, otherPort, database, user, password, encryption);
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
