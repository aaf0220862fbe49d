/** One connection that reads and writes frames, with TLS and back-pressure; the only place that opens sockets. */
@NullMarked
package dev.tenantry.proxy.net;

import org.jspecify.annotations.NullMarked;
