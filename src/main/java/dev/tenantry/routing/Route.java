package dev.tenantry.routing;

import dev.tenantry.catalog.Node;

/** Where a statement goes, and why. */
public sealed interface Route {

    /** Why; shown to people and counted in metrics. */
    Reason reason();

    /** To this node and no other. */
    record ToNode(Node node, Reason reason) implements Route {}

    /** To whichever node the session is at: nothing in the statement depends on where it runs. */
    record ToAnyNode(Reason reason) implements Route {}

    /** To every node, in one distributed transaction. */
    record ToEveryNode(Reason reason) implements Route {}

    /** To the session: schema DDL that changes the catalog and a node together, and what the proxy itself answers. */
    record Locally(Reason reason) implements Route {}

    /** Nowhere. */
    record Refused(Refusal refusal, Reason reason) implements Route {}

    /** Why a statement goes where it goes; the route kind of the metrics. */
    enum Reason {
        /** It names a distributed schema. */
        QUALIFIED,
        /** The first distributed schema of the search_path. */
        SEARCH_PATH,
        /** A catalog query whose literal or parameter names a distributed schema. */
        CATALOG_LITERAL,
        /** A catalog query that follows another by oid. */
        CATALOG_FOLLOW_UP,
        /** A catalog query about what every node shares. */
        CATALOG_GLOBAL,
        /** Names nothing that is distributed; goes where the transaction is. */
        TRANSACTION,
        /** Names nothing that is distributed, and neither does the search_path. */
        COORDINATOR,
        /** One of Citus's views or functions. */
        CLUSTER_VIEW,
        /** Session state: SET, SHOW, transaction control. */
        SESSION,
        /** CREATE, DROP, ALTER SCHEMA and the like. */
        SCHEMA_DDL,
        /** Roles, extensions and their settings. */
        GLOBAL_DDL,
        /** EXECUTE, FETCH and the like follow what they name. */
        PREPARED,
        /** Asks the proxy about itself. */
        PROXY,
        /** Can't be run. */
        REFUSED
    }
}
