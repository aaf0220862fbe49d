package dev.tenantry.proxy.query;

import dev.tenantry.proxy.answer.EncodedRows;
import dev.tenantry.proxy.answer.ResultFormats;
import dev.tenantry.proxy.session.BoundParameters;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** A portal over rows of the proxy's own: the formats it was bound with, and how far it has been read. */
final class OwnResult {
    private final ResultFormats formats;
    private final BoundParameters parameters;
    private @Nullable EncodedRows rows;
    private int next;

    OwnResult(ResultFormats formats, BoundParameters parameters) {
        this.formats = formats;
        this.parameters = parameters;
    }

    ResultFormats formats() {
        return formats;
    }

    /** What was bound. */
    BoundParameters parameters() {
        return parameters;
    }

    /** The rows, once it has been executed. */
    @Nullable
    EncodedRows rows() {
        return rows;
    }

    /** It is executed for the first time. */
    void opened(EncodedRows found) {
        rows = found;
    }

    /**
     * Writes at most so many of the rows that are left; 0 is for all.
     *
     * @return whether the client is told that these were the last ones, which PostgreSQL finds out only when it looks
     *     for one more
     */
    boolean write(ByteBuf out, int rowsMax) {
        EncodedRows all = rows;
        if (all == null) {
            throw new IllegalStateException("not executed yet");
        }
        int left = all.size() - next;
        int count = rowsMax <= 0 ? left : Math.min(left, rowsMax);
        all.write(out, next, next + count);
        next += count;
        boolean complete = rowsMax <= 0 || count < rowsMax;
        if (complete) {
            rows = EncodedRows.NONE; // what was read is not kept
            next = 0;
        }
        return complete;
    }
}
