package dev.tenantry.control.api;

import jakarta.ws.rs.core.SecurityContext;
import java.security.Principal;

/**
 * Who sends a request.
 *
 * @param role the PostgreSQL role
 * @param superuser whether it is one
 * @param isSecure whether the request came encrypted
 */
record Caller(String role, boolean superuser, boolean isSecure) implements SecurityContext {

    private static final String SUPERUSER = "superuser";

    @Override
    public Principal getUserPrincipal() {
        return this::role;
    }

    /** What else a role may do, the database knows. */
    @Override
    public boolean isUserInRole(String name) {
        return superuser && name.equals(SUPERUSER);
    }

    /** Lets only superusers pass. */
    static void requireSuperuser(SecurityContext caller) {
        if (!caller.isUserInRole(SUPERUSER)) {
            throw Problem.forbidden("Only a superuser may do this.");
        }
    }

    @Override
    public String getAuthenticationScheme() {
        return BASIC_AUTH;
    }
}
