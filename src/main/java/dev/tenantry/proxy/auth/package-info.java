/** Proves who a client is to us (SCRAM server) and who we are to a node (SCRAM client). */
@NullMarked
package dev.tenantry.proxy.auth;

import org.jspecify.annotations.NullMarked;
