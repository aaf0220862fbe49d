package dev.tenantry.control.api;

import dev.tenantry.catalog.CatalogFeed;
import dev.tenantry.catalog.LoginRole;
import dev.tenantry.scram.ScramVerifier;
import dev.tenantry.store.ClusterViews;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the API reads, once the planes run, and who may read it. */
@ApplicationScoped
public class ApiAccess {

    private static final String BASIC = "basic ";

    /** Checked for roles that do not exist, so that the answer takes as long as for those that do. */
    private static final ScramVerifier NOBODY =
            ScramVerifier.of("nobody", 4096, "no such role....".getBytes(StandardCharsets.US_ASCII));

    private volatile @Nullable Source source;

    private record Source(CatalogFeed catalog, ClusterViews views) {}

    /** Opens the API; called when the planes run. */
    public void open(CatalogFeed catalog, ClusterViews views) {
        source = new Source(catalog, views);
    }

    /** Closes the API; called before the planes stop. */
    public void close() {
        source = null;
    }

    /** The views, for a caller who may read them; else an error that says why not. */
    ClusterViews viewsFor(@Nullable String authorization) {
        Source open = source;
        if (open == null) {
            throw Problem.unavailable("The service is starting or stopping.");
        }
        LoginRole role = authenticated(open.catalog(), authorization).orElseThrow(Problem::unauthenticated);
        if (!role.superuser() && !role.monitor()) {
            throw Problem.forbidden();
        }
        return open.views();
    }

    private static Optional<LoginRole> authenticated(CatalogFeed catalog, @Nullable String authorization) {
        if (authorization == null || !authorization.toLowerCase(Locale.ROOT).startsWith(BASIC)) {
            return Optional.empty();
        }
        String pair;
        try {
            byte[] decoded = Base64.getDecoder()
                    .decode(authorization.substring(BASIC.length()).trim());
            pair = new String(decoded, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException notBase64) {
            return Optional.empty();
        }
        int colon = pair.indexOf(':');
        if (colon < 0) {
            return Optional.empty();
        }
        String name = pair.substring(0, colon);
        String password = pair.substring(colon + 1);
        // The role may have been changed a moment ago.
        return accepted(catalog.current().role(name), password)
                .or(() -> accepted(catalog.refresh().role(name), password));
    }

    private static Optional<LoginRole> accepted(Optional<LoginRole> role, String password) {
        ScramVerifier verifier =
                role.flatMap(LoginRole::verifier).flatMap(ScramVerifier::parse).orElse(NOBODY);
        boolean right = verifier.matches(password) && !verifier.equals(NOBODY);
        return role.filter(known -> right
                && known.canLogin()
                && known.validUntil().map(Instant.now()::isBefore).orElse(true));
    }
}
