package dev.tenantry.control.api;

import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Response;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.ServerExceptionMapper;

/** Whatever goes wrong in a resource or on the way to one is answered as a problem. */
public class ApiErrors {

    private static final Logger LOG = Logger.getLogger(ApiErrors.class);

    /** What says itself how it wants to be answered: a problem of ours, or no such path, method, media type. */
    @ServerExceptionMapper
    public Response refused(WebApplicationException refused) {
        Response response = refused.getResponse();
        return response.hasEntity() ? response : Problem.of(response);
    }

    /** A body that is not the JSON that is wanted. */
    @ServerExceptionMapper
    public Response unreadable(MismatchedInputException wrong) {
        return Problem.badParameter("The body must be a JSON object with the fields of this request.")
                .getResponse();
    }

    /** Our fault. */
    @ServerExceptionMapper
    public Response failed(RuntimeException failed) {
        LOG.error("request failed", failed);
        return Problem.internal();
    }
}
