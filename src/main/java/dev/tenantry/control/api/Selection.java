package dev.tenantry.control.api;

import jakarta.ws.rs.QueryParam;
import java.util.List;
import org.eclipse.microprofile.openapi.annotations.parameters.Parameter;
import org.jspecify.annotations.Nullable;

/** Which rows of a view a request asks for. */
public class Selection extends Paging {

    /** Names of schemas. */
    @Parameter(description = "Exact name of a schema; may be repeated")
    @QueryParam("schema")
    public @Nullable List<String> schema;

    /** Whose rows; empty for all. */
    List<String> schemas() {
        return schema == null
                ? List.of()
                : schema.stream()
                        .map(name -> RequestFields.text("schema", name))
                        .toList();
    }
}
