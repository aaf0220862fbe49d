package dev.tenantry.control.api;

import io.vertx.core.http.HttpServerRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/** Asks every request to a resource who it is from; health, metrics and the API's description are no resources. */
public class ApiFilter {

    private final ApiAccess access;

    /** Lets pass whom that lets pass. */
    public ApiFilter(ApiAccess access) {
        this.access = access;
    }

    /** Runs on the thread of the resource, which may block. */
    @ServerRequestFilter
    public void requireRole(ContainerRequestContext request, HttpServerRequest connection) {
        access.require(
                request.getHeaderString(HttpHeaders.AUTHORIZATION),
                connection.remoteAddress().hostAddress());
    }
}
