package dev.tenantry.proxy.cluster;

import dev.tenantry.catalog.CatalogOverlay;
import dev.tenantry.catalog.Node;
import dev.tenantry.proxy.backend.BackendConnection;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.sql.SqlName;
import dev.tenantry.sql.StatementAction.EveryNode;
import dev.tenantry.sql.StatementAction.PasswordLiteral;
import java.security.SecureRandom;

/**
 * Roles, memberships, role and database settings, extensions: the same statement on every node inside the session's
 * transaction. A clear-text password is sent as one verifier, so that every node has the same. Runs on a virtual
 * thread.
 */
final class EveryNodeDdl {
    private static final int SALT_BYTES = 16;
    private static final int ITERATIONS = 4096;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final NodeCalls calls;
    private final CatalogOverlay catalog;

    EveryNodeDdl(NodeCalls calls, CatalogOverlay catalog) {
        this.calls = calls;
        this.catalog = catalog;
    }

    /** Runs the statement, whose text is one character a byte, and returns its command tag. */
    String run(EveryNode action, String text, int start) {
        String sql = action.password()
                .map(password -> text.substring(0, password.start() - start)
                        + literal(password)
                        + text.substring(password.end() - start))
                .orElse(text);
        BackendConnection coordinator = calls.enlist(catalog.coordinator());
        String tag = SchemaDdl.tag(calls.call(coordinator, sql));
        for (Node node : catalog.nodes()) {
            if (node.active() && !node.isCoordinator()) {
                calls.call(calls.enlist(node), sql);
            }
        }
        calls.call(coordinator, "SELECT tenantry.catalog_changed()");
        calls.onLoop(catalog::touch);
        return tag;
    }

    private static String literal(PasswordLiteral password) {
        String text = password.text();
        boolean hashed = text.isEmpty()
                || ScramVerifier.parse(text).isPresent()
                || text.startsWith("md5") && text.length() == 35;
        if (hashed) {
            return SqlName.literal(text);
        }
        byte[] salt = new byte[SALT_BYTES];
        RANDOM.nextBytes(salt);
        return SqlName.literal(ScramVerifier.of(text, ITERATIONS, salt).toString());
    }
}
