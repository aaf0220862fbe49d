package dev.tenantry.routing;

import dev.tenantry.catalog.DistributedSchema;
import dev.tenantry.catalog.Node;
import dev.tenantry.routing.Route.Reason;
import dev.tenantry.sql.SqlName;

/** The statements that no single node can run, or no client, and what to do about each. */
final class Refusals {

    private static final String REMEDY =
            "Run one statement for each schema, or create schemas that are used together on one node"
                    + " (SET tenantry.node).";

    private static final String FEATURE_NOT_SUPPORTED = "0A000";
    private static final String INSUFFICIENT_PRIVILEGE = "42501";
    private static final String RESERVED_NAME = "42939";
    private static final String ONLY_BY_ITSELF = "TN001";

    private Refusals() {}

    static Route twoSchemas(DistributedSchema one, DistributedSchema other) {
        return refused(
                FEATURE_NOT_SUPPORTED,
                "statement uses schemas on different nodes",
                placed(one) + " " + placed(other),
                REMEDY);
    }

    static Route namedAndPath(DistributedSchema named, DistributedSchema path) {
        return refused(
                FEATURE_NOT_SUPPORTED,
                "statement uses schemas on different nodes",
                placed(named) + " Names without a schema are looked up by the search_path, where the first distributed"
                        + " schema is " + quoted(path) + ", on node " + quoted(path.node()) + ".",
                "Qualify every name with its schema, or set search_path to "
                        + SqlName.quoted(named.name()) + ". "
                        + REMEDY);
    }

    static Route clusterViewAndSchema(String name, DistributedSchema schema, Node coordinator) {
        return refused(
                FEATURE_NOT_SUPPORTED,
                "\"" + name + "\" cannot be used together with a schema on another node",
                "\"" + name + "\" is answered by node " + quoted(coordinator) + ". " + placed(schema),
                "Query \"" + name + "\" in a statement of its own.");
    }

    static Route reservedIdentifier(String gid) {
        return refused(
                RESERVED_NAME,
                "transaction identifier \"" + gid + "\" is reserved",
                "Identifiers of this form name the commits over several nodes that the proxies make.",
                "Choose one that does not begin with \"tenantry_\".");
    }

    static Route ownTransaction(String gid) {
        return refused(
                INSUFFICIENT_PRIVILEGE,
                "permission denied to finish prepared transaction \"" + gid + "\"",
                "It is a part of a commit over several nodes, which the proxies finish on all of them or on none.",
                "Leave it to the recovery, which looks every few seconds.");
    }

    static Route sharedInBlock(String words) {
        return refused(
                ONLY_BY_ITSELF,
                words + " is possible through a Tenantry proxy only as a statement of its own",
                "It concerns every node of the cluster, and the DO block would do it on one of them only.",
                "Send it to the proxy by itself, not inside a function, a DO block or a procedure. Whether a role is"
                        + " there already can be read from pg_roles before.");
    }

    private static String placed(DistributedSchema schema) {
        return "Schema " + quoted(schema) + " is on node " + quoted(schema.node()) + ".";
    }

    private static String quoted(DistributedSchema schema) {
        return "\"" + schema.name() + "\"";
    }

    private static String quoted(Node node) {
        return "\"" + node.name() + "\" (" + node.address() + ")";
    }

    private static Route refused(String sqlState, String message, String detail, String hint) {
        return new Route.Refused(new Refusal(sqlState, message, detail, hint), Reason.REFUSED);
    }
}
