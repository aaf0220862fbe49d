package dev.tenantry.control.api;

import dev.tenantry.activity.BackendActivity;
import dev.tenantry.activity.PinActivity;
import dev.tenantry.activity.PoolActivity;
import dev.tenantry.activity.SessionActivity;
import dev.tenantry.activity.TransactionActivity;
import dev.tenantry.activity.Viewer;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.BeanParam;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** What the proxy in this process is doing, over HTTP: the same rows as SHOW answers, fields named as the columns. */
@Path("/api")
@Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
@RunOnVirtualThread
@Tag(name = "proxy", description = "What the proxy in this process is doing; others are asked themselves")
@SecurityRequirement(name = "role")
@APIResponse(responseCode = "200", description = "A page of rows")
public class ProxyResource {

    private static final long ANSWER_SECONDS_MAX = 10;

    private final ApiAccess access;

    /** Serves what may be read. */
    public ProxyResource(ApiAccess access) {
        this.access = access;
    }

    /** Rows of SHOW tenantry.sessions. */
    @GET
    @Path("/sessions")
    @Operation(summary = "Sessions of clients: who, where, what they do, and what keeps connections with them")
    public Page<SessionActivity> sessions(@BeanParam Paging paging) {
        return page(access.activity().sessions(Viewer.OF_ALL), paging);
    }

    /** Rows of SHOW tenantry.backends. */
    @GET
    @Path("/backends")
    @Operation(summary = "Connections to nodes: who holds them, what goes on there, and why they are kept")
    public Page<BackendActivity> backends(@BeanParam Paging paging) {
        return page(access.activity().backends(Viewer.OF_ALL), paging);
    }

    /** Rows of SHOW tenantry.pools. */
    @GET
    @Path("/pools")
    @Operation(summary = "Connections that can stand in for each other, counted, and who waits for one")
    public Page<PoolActivity> pools(@BeanParam Paging paging) {
        return page(access.activity().pools(Viewer.OF_ALL), paging);
    }

    /** Rows of SHOW tenantry.pins. */
    @GET
    @Path("/pins")
    @Operation(summary = "What keeps connections with their sessions in transaction mode")
    public Page<PinActivity> pins(@BeanParam Paging paging) {
        return page(access.activity().pins(Viewer.OF_ALL), paging);
    }

    /** Rows of SHOW tenantry.transactions. */
    @GET
    @Path("/transactions")
    @Operation(summary = "Open transaction blocks and the nodes that are in them")
    public Page<TransactionActivity> transactions(@BeanParam Paging paging) {
        return page(access.activity().transactions(Viewer.OF_ALL), paging);
    }

    private static <T> Page<T> page(CompletableFuture<List<T>> asked, Paging paging) {
        try {
            return paging.page(asked.get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS));
        } catch (ExecutionException | TimeoutException stopping) {
            throw Problem.proxyUnavailable(stopping);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw Problem.proxyUnavailable(interrupted);
        }
    }
}
