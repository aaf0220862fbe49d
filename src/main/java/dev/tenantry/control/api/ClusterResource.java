package dev.tenantry.control.api;

import dev.tenantry.store.CatalogUnavailableException;
import dev.tenantry.store.ClusterViews;
import dev.tenantry.store.ClusterViews.ClusterNode;
import dev.tenantry.store.ClusterViews.Rows;
import dev.tenantry.store.ClusterViews.Schema;
import dev.tenantry.store.ClusterViews.Shard;
import dev.tenantry.store.ClusterViews.Table;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import java.util.List;
import java.util.function.Supplier;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SecuritySchemeType;
import org.eclipse.microprofile.openapi.annotations.media.Content;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.security.SecurityScheme;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;

/** The cluster's views over HTTP: the same rows as in SQL, fields named as the columns. */
@Path("/api")
@Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
@RunOnVirtualThread
@Tag(name = "cluster", description = "What lives where")
@SecurityScheme(
        securitySchemeName = "role",
        type = SecuritySchemeType.HTTP,
        scheme = "basic",
        description = "A PostgreSQL role that is a superuser or a member of pg_monitor")
@SecurityRequirement(name = "role")
@APIResponse(responseCode = "200", description = "A page of rows")
@APIResponse(
        responseCode = "400",
        description = "A parameter has no meaning (bad_parameter)",
        content = @Content(mediaType = Problem.MEDIA_TYPE))
@APIResponse(
        responseCode = "401",
        description = "No role and password, or wrong ones (authentication_required)",
        content = @Content(mediaType = Problem.MEDIA_TYPE))
@APIResponse(
        responseCode = "403",
        description = "The role may not read this (not_allowed)",
        content = @Content(mediaType = Problem.MEDIA_TYPE))
@APIResponse(
        responseCode = "503",
        description = "The coordinator can't be asked (coordinator_unavailable)",
        content = @Content(mediaType = Problem.MEDIA_TYPE))
public class ClusterResource {

    private static final String SCHEMA = "Exact name of a schema; may be repeated";
    private static final String LIMIT = "How many rows at most, 1 to 1000; 100 if not given";
    private static final String OFFSET = "How many rows to leave out before";

    private final ApiAccess access;

    /** Serves what may be read. */
    public ClusterResource(ApiAccess access) {
        this.access = access;
    }

    /** Rows of {@code citus_schemas}. */
    @GET
    @Path("/citus_schemas")
    @Operation(summary = "Distributed schemas, with their size, owner and node")
    public Page<Schema> schemas(
            @Parameter(hidden = true) @HeaderParam(HttpHeaders.AUTHORIZATION) @Nullable String authorization,
            @Parameter(description = SCHEMA) @QueryParam("schema") List<String> schema,
            @Parameter(description = LIMIT) @QueryParam("limit") @Nullable String limit,
            @Parameter(description = OFFSET) @QueryParam("offset") @Nullable String offset) {
        ClusterViews views = access.viewsFor(authorization);
        return Page.read(limit, offset, (most, before) -> asked(() -> views.schemas(schema, most, before)));
    }

    /** Rows of {@code citus_shards}. */
    @GET
    @Path("/citus_shards")
    @Operation(summary = "Tables of distributed schemas, with their shard id, node and size in bytes")
    public Page<Shard> shards(
            @Parameter(hidden = true) @HeaderParam(HttpHeaders.AUTHORIZATION) @Nullable String authorization,
            @Parameter(description = SCHEMA) @QueryParam("schema") List<String> schema,
            @Parameter(description = LIMIT) @QueryParam("limit") @Nullable String limit,
            @Parameter(description = OFFSET) @QueryParam("offset") @Nullable String offset) {
        ClusterViews views = access.viewsFor(authorization);
        return Page.read(limit, offset, (most, before) -> asked(() -> views.shards(schema, most, before)));
    }

    /** Rows of {@code citus_tables}. */
    @GET
    @Path("/citus_tables")
    @Operation(summary = "Tables of distributed schemas, with their size, owner and access method")
    public Page<Table> tables(
            @Parameter(hidden = true) @HeaderParam(HttpHeaders.AUTHORIZATION) @Nullable String authorization,
            @Parameter(description = SCHEMA) @QueryParam("schema") List<String> schema,
            @Parameter(description = LIMIT) @QueryParam("limit") @Nullable String limit,
            @Parameter(description = OFFSET) @QueryParam("offset") @Nullable String offset) {
        ClusterViews views = access.viewsFor(authorization);
        return Page.read(limit, offset, (most, before) -> asked(() -> views.tables(schema, most, before)));
    }

    /** Rows of {@code citus_nodes}. */
    @GET
    @Path("/citus_nodes")
    @Operation(summary = "Nodes; with a schema given, the node that holds it")
    public Page<ClusterNode> nodes(
            @Parameter(hidden = true) @HeaderParam(HttpHeaders.AUTHORIZATION) @Nullable String authorization,
            @Parameter(description = SCHEMA) @QueryParam("schema") List<String> schema,
            @Parameter(description = LIMIT) @QueryParam("limit") @Nullable String limit,
            @Parameter(description = OFFSET) @QueryParam("offset") @Nullable String offset) {
        ClusterViews views = access.viewsFor(authorization);
        return Page.read(limit, offset, (most, before) -> asked(() -> views.nodes(schema, most, before)));
    }

    private static <T> Rows<T> asked(Supplier<Rows<T>> question) {
        try {
            return question.get();
        } catch (CatalogUnavailableException away) {
            throw Problem.unavailable("The coordinator does not answer now; try again later.");
        }
    }
}
