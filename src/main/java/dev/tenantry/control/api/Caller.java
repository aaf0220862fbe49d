package dev.tenantry.control.api;

import jakarta.ws.rs.core.SecurityContext;
import java.security.Principal;

/**
 * Who sends a request.
 *
 * @param role the PostgreSQL role
 * @param isSecure whether the request came encrypted
 */
record Caller(String role, boolean isSecure) implements SecurityContext {

    @Override
    public Principal getUserPrincipal() {
        return this::role;
    }

    /** The database knows what a role may do. */
    @Override
    public boolean isUserInRole(String name) {
        return false;
    }

    @Override
    public String getAuthenticationScheme() {
        return BASIC_AUTH;
    }
}
