package dev.tenantry.control.api;

import dev.tenantry.store.move.MoveDesk;
import dev.tenantry.store.move.MoveReport;
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
import java.util.function.Function;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SchemaType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.media.Schema;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

/** Moves of schemas over HTTP: asked for, undone, and looked at, once or as a stream; see docs/moves.md. */
@Path("/api/moves")
@RunOnVirtualThread
@Tag(name = "moves", description = "Moving schemas between nodes while they are in use")
@SecurityRequirement(name = "role")
public class MoveResource {

    private static final String EVENT = "move";

    private final ApiAccess access;
    private final EventStreams streams;

    /** Serves what may be read, and passes on what is asked for. */
    public MoveResource(ApiAccess access, EventStreams streams) {
        this.access = access;
        this.streams = streams;
    }

    /**
     * Asks for a move.
     *
     * @param schema the distributed schema, by its exact name
     * @param node where it is to go
     * @param shardTransferMode Citus's; {@code auto} if not given
     */
    @Schema(description = "Asks for a move")
    public record MoveRequest(
            @Schema(required = true, description = "Exact name of a distributed schema") @Nullable
            String schema,

            @Schema(required = true, description = "Where it is to go: the name of a node, or host:port") @Nullable
            String node,

            @Schema(description = "auto (the default), force_logical or block_writes") @Nullable
            String shardTransferMode) {}

    /** Rows of {@code tenantry_moves}. */
    @GET
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            summary = "Moves, the last one first: how far they are, and how they have ended",
            description = "As text/event-stream: an event \"move\", with a move as its data, for each that has not"
                    + " ended or is asked for later, and again whenever it has changed")
    @APIResponse(responseCode = "200", description = "A page of moves")
    public Page<MoveReport> moves(
            @BeanParam Selection selection,
            @Parameter(
                            description = "true for those only that have not ended",
                            schema = @Schema(type = SchemaType.BOOLEAN))
                    @QueryParam("running")
                    @Nullable
                    String running) {
        boolean unfinished = RequestFields.flag("running", running);
        MoveDesk.Page page =
                ask(desk -> desk.moves(selection.schemas(), unfinished, selection.limit(), selection.offset()));
        return selection.page(page.total(), page.items());
    }

    /** The same as a stream, of those that run and those asked for later. */
    @GET
    @Produces(EventStreams.MEDIA_TYPE)
    @Operation(hidden = true)
    public Response followAll() {
        return streams.stream(EVENT, () -> MoveWatch.ofAll(access.openMoves()));
    }

    /** One row of {@code tenantry_moves}. */
    @GET
    @Path("/{id}")
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(
            summary = "A move: how far it is, or how it has ended",
            description =
                    "As text/event-stream: an event \"move\", with the move as its data, and again whenever it has"
                            + " changed, until it has ended")
    @APIResponse(responseCode = "200", description = "The move")
    @APIResponse(responseCode = "404", description = "There is no such move (not_found)")
    public MoveReport move(@PathParam("id") String id) {
        long number = RequestFields.number(EVENT, id);
        return ask(desk -> desk.move(number).orElseThrow(() -> RequestFields.unknown(EVENT, id)));
    }

    /** The same as a stream, until it has ended. */
    @GET
    @Path("/{id}")
    @Produces(EventStreams.MEDIA_TYPE)
    @Operation(hidden = true)
    public Response follow(@PathParam("id") String id) {
        long number = move(id).moveid();
        return streams.stream(EVENT, () -> MoveWatch.of(access.openMoves(), number));
    }

    /** {@code tenantry_move_start}. */
    @POST
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(summary = "Has a schema moved to a node, in the background; for its owner or a superuser")
    @APIResponse(
            responseCode = "201",
            description = "The move; the header Location says where it can be looked at",
            content = @Content(schema = @Schema(implementation = MoveReport.class)))
    @APIResponse(responseCode = "400", description = "The body is not what it must be (bad_parameter, bad_request)")
    @APIResponse(responseCode = "409", description = "It is being moved already (conflict)")
    @APIResponse(responseCode = "422", description = "It can't be moved there (refused)")
    public Response start(@Nullable MoveRequest request, @Context SecurityContext caller) {
        if (request == null || request.schema() == null || request.node() == null) {
            throw Problem.badParameter("The body must be a JSON object with the fields \"schema\" and \"node\".");
        }
        String schema = RequestFields.text("schema", request.schema());
        String node = RequestFields.text("node", request.node());
        String mode = RequestFields.transferMode(request.shardTransferMode());
        String role = caller.getUserPrincipal().getName();
        MoveReport started =
                ask(desk -> desk.move(desk.start(role, schema, node, mode)).orElseThrow());
        return Response.created(URI.create("/api/moves/" + started.moveid()))
                .entity(started)
                .build();
    }

    /** {@code tenantry_move_cancel}. */
    @DELETE
    @Path("/{id}")
    @Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
    @Operation(summary = "Has a move undone that has not switched; for the schema's owner or a superuser")
    @APIResponse(
            responseCode = "202",
            description = "The move, which will be undone",
            content = @Content(schema = @Schema(implementation = MoveReport.class)))
    @APIResponse(responseCode = "404", description = "There is no such move (not_found)")
    @APIResponse(responseCode = "409", description = "It has switched or ended already (conflict)")
    public Response cancel(@PathParam("id") String id, @Context SecurityContext caller) {
        long number = RequestFields.number(EVENT, id);
        String role = caller.getUserPrincipal().getName();
        MoveReport cancelled = ask(desk -> {
            MoveReport known = desk.move(number).orElseThrow(() -> RequestFields.unknown(EVENT, id));
            if (!desk.cancel(role, number)) {
                throw Problem.conflict("Move " + number + " of schema \"" + known.schemaName()
                        + "\" has switched or ended; it can't be undone.");
            }
            return desk.move(number).orElseThrow();
        });
        return Response.accepted(cancelled).build();
    }

    private <T> T ask(Function<MoveDesk, T> question) {
        return Problem.unless(() -> {
            try (MoveDesk desk = access.openMoves()) {
                return question.apply(desk);
            }
        });
    }
}
