package dev.tenantry.control.api;

import dev.tenantry.control.rebalance.RebalanceOptions;
import dev.tenantry.control.rebalance.RebalanceOptions.TransferMode;
import dev.tenantry.control.rebalance.Rebalances;
import dev.tenantry.store.rebalance.RebalanceJob;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.BeanParam;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.DELETE;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.SecurityContext;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Function;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

/** Rebalances over HTTP: planned, started, ended, and looked at, once or as a stream; see docs/rebalancing.md. */
@Path("/api/rebalances")
@RunOnVirtualThread
@Tag(name = "rebalances", description = "Bringing schemas to where they should be")
@SecurityRequirement(name = "role")
public class RebalanceResource {

    private static final String EVENT = "rebalance";
    private static final int LISTED_MAX = 10_000;

    private final ApiAccess access;
    private final EventStreams streams;

    /** Serves what may be read, and passes on what is asked for. */
    public RebalanceResource(ApiAccess access, EventStreams streams) {
        this.access = access;
        this.streams = streams;
    }

    /**
     * Asks for a rebalance; what is left out is as the strategy says.
     *
     * @param strategy its name
     * @param threshold how far nodes may be from the average, as a part of it
     * @param improvementThreshold what a doubtful move must bring, as a part of what it moves
     * @param drainOnly whether only nodes that are to hold nothing are emptied
     * @param shardTransferMode Citus's; {@code auto} if not given
     */
    @Schema(description = "Asks for a rebalance; what is left out is as the strategy says")
    public record RebalanceRequest(
            @Nullable String strategy,
            @Nullable Double threshold,
            @Nullable Double improvementThreshold,
            @Nullable Boolean drainOnly,

            @Schema(description = "auto (the default), force_logical or block_writes") @Nullable
            String shardTransferMode) {}

    /** The dry run. */
    @GET
    @Path("/plan")
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(summary = "What a rebalance would move, and what every node would hold then; nothing is moved")
    @APIResponse(responseCode = "200", description = "The plan")
    @APIResponse(responseCode = "422", description = "There is no such strategy, or it can't be used (refused)")
    public RebalancePlan plan(
            @Parameter(description = "Name of a strategy") @QueryParam("strategy") @Nullable String strategy,
            @Parameter(description = "How far nodes may be from the average, as a part of it")
                    @QueryParam("threshold")
                    @Nullable
                    String threshold,
            @Parameter(description = "What a doubtful move must bring, as a part of what it moves")
                    @QueryParam("improvement_threshold")
                    @Nullable
                    String improvementThreshold,
            @Parameter(description = "true to empty only nodes that are to hold nothing")
                    @QueryParam("drain_only")
                    @Nullable
                    String drainOnly) {
        boolean drains = RequestFields.flag("drain_only", drainOnly);
        RebalanceOptions options = new RebalanceOptions(
                Optional.ofNullable(strategy).map(name -> RequestFields.text("strategy", name)),
                part("threshold", threshold),
                part("improvement_threshold", improvementThreshold),
                drains,
                TransferMode.AUTO);
        return plan(rebalances -> RebalancePlan.of(
                rebalances.plan(options), access.catalog().current().nodes()));
    }

    /** The rebalances there were. */
    @GET
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            summary = "Rebalances, the last one first, without their moves",
            description =
                    "As text/event-stream: an event \"rebalance\", with a rebalance and its moves as its data, for"
                            + " the one that runs and those asked for later, and again whenever it has changed")
    @APIResponse(responseCode = "200", description = "A page of rebalances")
    public Page<RebalanceJob> rebalances(@BeanParam Paging paging) {
        return paging.page(ask(rebalances -> rebalances.list(LISTED_MAX)));
    }

    /** The same as a stream, of the one that runs and those asked for later. */
    @GET
    @Produces(EventStreams.MEDIA_TYPE)
    @Operation(hidden = true)
    public Response followAll() {
        return streams.stream(EVENT, () -> RebalanceWatch.ofAll(access.rebalances()));
    }

    /** One rebalance. */
    @GET
    @Path("/{id}")
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            summary = "A rebalance with its moves: how far it is, or how it has ended",
            description = "As text/event-stream: an event \"rebalance\", with the rebalance as its data, and again"
                    + " whenever it has changed, until it has ended")
    @APIResponse(responseCode = "200", description = "The rebalance")
    @APIResponse(responseCode = "404", description = "There is no such rebalance (not_found)")
    public RebalanceJob rebalance(@PathParam("id") String id) {
        long number = RequestFields.number(EVENT, id);
        return ask(rebalances -> rebalances.status(number).orElseThrow(() -> RequestFields.unknown(EVENT, id)));
    }

    /** The same as a stream, until it has ended. */
    @GET
    @Path("/{id}")
    @Produces(EventStreams.MEDIA_TYPE)
    @Operation(hidden = true)
    public Response follow(@PathParam("id") String id) {
        long number = rebalance(id).id();
        return streams.stream(EVENT, () -> RebalanceWatch.of(access.rebalances(), number));
    }

    /** {@code citus_rebalance_start}. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(summary = "Starts a rebalance, in the background; for superusers")
    @APIResponse(
            responseCode = "201",
            description = "The rebalance; the header Location says where it can be looked at",
            content = @Content(schema = @Schema(implementation = RebalanceJob.class)))
    @APIResponse(responseCode = "204", description = "There is nothing to move")
    @APIResponse(responseCode = "400", description = "The body is not what it must be (bad_parameter, bad_request)")
    @APIResponse(responseCode = "409", description = "A rebalance runs already (conflict)")
    @APIResponse(responseCode = "422", description = "There is no such strategy, or it can't be used (refused)")
    public Response start(@Nullable RebalanceRequest request, @Context SecurityContext caller) {
        Caller.requireSuperuser(caller);
        RebalanceOptions options = options(request);
        return plan(rebalances -> {
            OptionalLong id = rebalances.start(options);
            if (id.isEmpty()) {
                return Response.noContent().build();
            }
            return Response.created(URI.create("/api/rebalances/" + id.getAsLong()))
                    .entity(rebalances.status(id.getAsLong()).orElseThrow())
                    .build();
        });
    }

    /** {@code citus_job_cancel}. */
    @DELETE
    @Path("/{id}")
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(summary = "Ends a rebalance: no more moves begin, and those that run are undone; for superusers")
    @APIResponse(
            responseCode = "202",
            description = "The rebalance, which will end",
            content = @Content(schema = @Schema(implementation = RebalanceJob.class)))
    @APIResponse(responseCode = "404", description = "There is no such rebalance (not_found)")
    @APIResponse(responseCode = "409", description = "It has ended already (conflict)")
    public Response stop(@PathParam("id") String id, @Context SecurityContext caller) {
        Caller.requireSuperuser(caller);
        long number = RequestFields.number(EVENT, id);
        return ask(rebalances -> {
            if (rebalances.status(number).isEmpty()) {
                throw RequestFields.unknown(EVENT, id);
            }
            if (!rebalances.stop(number)) {
                throw Problem.conflict("Rebalance " + number + " has ended.");
            }
            return Response.accepted(rebalances.status(number).orElseThrow()).build();
        });
    }

    private static RebalanceOptions options(@Nullable RebalanceRequest request) {
        if (request == null) {
            throw Problem.badParameter("The body must be a JSON object.");
        }
        String mode = RequestFields.transferMode(request.shardTransferMode());
        return new RebalanceOptions(
                Optional.ofNullable(request.strategy()).map(name -> RequestFields.text("strategy", name)),
                part("threshold", request.threshold()),
                part("improvement_threshold", request.improvementThreshold()),
                Boolean.TRUE.equals(request.drainOnly()),
                TransferMode.valueOf(mode.toUpperCase(Locale.ROOT)));
    }

    private static OptionalDouble part(String name, @Nullable String text) {
        if (text == null) {
            return OptionalDouble.empty();
        }
        if (!text.matches("[0-9]{1,9}([.][0-9]{1,9})?")) {
            throw Problem.badParameter("\"" + name + "\" must be a number that is not negative.");
        }
        return OptionalDouble.of(Double.parseDouble(text));
    }

    private static OptionalDouble part(String name, @Nullable Double given) {
        if (given == null) {
            return OptionalDouble.empty();
        }
        if (!(given >= 0) || given.isInfinite()) {
            throw Problem.badParameter("\"" + name + "\" must be a number that is not negative.");
        }
        return OptionalDouble.of(given);
    }

    private <T> T plan(Function<Rebalances, T> question) {
        return Problem.unlessUnusable(() -> question.apply(access.rebalances()));
    }

    private <T> T ask(Function<Rebalances, T> question) {
        return Problem.unless(() -> question.apply(access.rebalances()));
    }
}
