package dev.tenantry.support;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.lang.management.ManagementFactory;

/**
 * What this JVM, and with it the proxy in it, uses.
 *
 * @param heap bytes of the heap after a collection
 * @param direct bytes that netty's allocator has taken outside the heap
 */
public record MemoryUse(long heap, long direct) {

    /** As it is now; collects garbage. */
    public static MemoryUse now() {
        System.gc();
        long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        ByteBufAllocatorMetricProvider allocator = (ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT;
        return new MemoryUse(heap, allocator.metric().usedDirectMemory());
    }

    /** How much more it is than before, in MB, heap and direct memory together. */
    public long megabytesMoreThan(MemoryUse before) {
        return (heap - before.heap + direct - before.direct) >> 20;
    }
}
