package dev.tenantry.control.api;

import dev.tenantry.catalog.LoginRole;
import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import java.util.Set;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** Asks every request to a resource who it is from; health, metrics and the API's description are no resources. */
public class ApiFilter {

    private static final Set<String> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD);

    private final ApiAccess access;

    /** Lets pass whom that lets pass. */
    public ApiFilter(ApiAccess access) {
        this.access = access;
    }

    /** Runs on the thread of the resource, which may block. What changes something says itself who may. */
    @ServerRequestFilter
    public void requireRole(ContainerRequestContext request, HttpServerRequest connection) {
        LoginRole role = access.require(
                request.getHeaderString(HttpHeaders.AUTHORIZATION),
                connection.remoteAddress().hostAddress());
        if (READING.contains(request.getMethod())) {
            ApiAccess.requireReader(role);
        }
        request.setSecurityContext(new Caller(
                role.name(), role.superuser(), request.getSecurityContext().isSecure()));
    }
}
