package dev.tenantry.control.api;

import dev.tenantry.store.ClusterView;
import dev.tenantry.store.ClusterView.ClusterNode;
import dev.tenantry.store.ClusterView.Schema;
import dev.tenantry.store.ClusterView.Shard;
import dev.tenantry.store.ClusterView.Table;
import dev.tenantry.store.ClusterViews.Rows;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.ws.rs.BeanParam;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.openapi.annotations.Operation;
import org.eclipse.microprofile.openapi.annotations.enums.SecuritySchemeType;
import org.eclipse.microprofile.openapi.annotations.responses.APIResponse;
import org.eclipse.microprofile.openapi.annotations.security.SecurityRequirement;
import org.eclipse.microprofile.openapi.annotations.security.SecurityScheme;
import org.eclipse.microprofile.openapi.annotations.tags.Tag;

/** The cluster's views over HTTP: the same rows as in SQL, fields named as the columns. */
@Path("/api")
@Produces({MediaType.APPLICATION_JSON, Problem.MEDIA_TYPE})
@RunOnVirtualThread
@Tag(name = "cluster", description = "What lives where")
@SecurityScheme(
        securitySchemeName = "role",
        type = SecuritySchemeType.HTTP,
        scheme = "basic",
        description = "A PostgreSQL role; to read, a superuser or a member of pg_monitor")
@SecurityRequirement(name = "role")
@APIResponse(responseCode = "200", description = "A page of rows")
public class ClusterResource {

    private final ApiAccess access;

    /** Serves what may be read. */
    public ClusterResource(ApiAccess access) {
        this.access = access;
    }

    /** Rows of {@code citus_schemas}. */
    @GET
    @Path("/citus_schemas")
    @Operation(summary = "Distributed schemas, with their size, owner and node")
    public Page<Schema> schemas(@BeanParam Selection selection) {
        return page(ClusterView.SCHEMAS, selection);
    }

    /** Rows of {@code citus_shards}. */
    @GET
    @Path("/citus_shards")
    @Operation(summary = "Tables of distributed schemas, with their shard id, node and size in bytes")
    public Page<Shard> shards(@BeanParam Selection selection) {
        return page(ClusterView.SHARDS, selection);
    }

    /** Rows of {@code citus_tables}. */
    @GET
    @Path("/citus_tables")
    @Operation(summary = "Tables of distributed schemas, with their size, owner and access method")
    public Page<Table> tables(@BeanParam Selection selection) {
        return page(ClusterView.TABLES, selection);
    }

    /** Rows of {@code citus_nodes}. */
    @GET
    @Path("/citus_nodes")
    @Operation(summary = "Nodes; with a schema given, the node that holds it")
    public Page<ClusterNode> nodes(@BeanParam Selection selection) {
        return page(ClusterView.NODES, selection);
    }

    private <T> Page<T> page(ClusterView<T> view, Selection selection) {
        return Problem.unless(() -> {
            Rows<T> rows = access.views().read(view, selection.schemas(), selection.limit(), selection.offset());
            return selection.page(rows.total(), rows.items());
        });
    }
}
