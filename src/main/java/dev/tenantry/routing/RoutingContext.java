package dev.tenantry.routing;

import dev.tenantry.catalog.CatalogView;
import dev.tenantry.catalog.Node;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the router must know of a session; the session itself implements it, so that routing allocates nothing.
 */
public interface RoutingContext {

    /** The catalog as this session sees it. */
    CatalogView catalog();

    /** The effective search_path: names exactly as the server would look them up, {@code "$user"} not expanded. */
    List<String> searchPath();

    /** The current role, for {@code "$user"}. */
    String currentRole();

    /** The node the open transaction has used, or null outside a transaction or before its first use. */
    @Nullable
    Node transactionNode();

    /** Where the last catalog query of this session went because of a literal, or null. */
    @Nullable
    Node catalogNode();

    /** The text of a bound parameter, or null when it is NULL, binary of unknown type, or not bound yet. */
    @Nullable
    String parameter(int number);

    /** How many parameters are bound; 0 when routing a Parse. */
    int parameterCount();
}
