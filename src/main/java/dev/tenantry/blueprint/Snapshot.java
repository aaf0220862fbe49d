package dev.tenantry.blueprint;

import java.util.List;

/** A server's catalogs as they are at one moment, where names are always shown with their schema and in quotes. */
interface Snapshot {

    /** The rows of a query; {@code :schema} in it is the oid of the schema that is read. */
    List<CatalogRow> rows(String query);

    /** Major version of the server. */
    int major();

    /** Name of the schema that is read. */
    String schema();
}
