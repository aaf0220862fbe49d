package dev.tenantry.proxy.query;

import dev.tenantry.catalog.Node;
import dev.tenantry.routing.Route;
import java.util.List;

/**
 * Where a string goes that one node can run as it is.
 *
 * @param reasons why each of its statements goes there
 */
record StringRoute(Node node, List<Route.Reason> reasons) {}
