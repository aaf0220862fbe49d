package dev.tenantry.control.node.copy;

import dev.tenantry.control.node.copy.RowComparison.Rows;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Counts rows in COPY's text format, in which a line is a row, and sums up what is in them: equal for the same rows in
 * any order. Not thread-safe.
 */
final class RowDigest extends OutputStream {

    private final MessageDigest line;
    private long count;
    private long sum;

    RowDigest() {
        try {
            line = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible); // every Java has it
        }
    }

    @Override
    public void write(int value) {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
        int begun = offset;
        int end = offset + length;
        for (int i = offset; i < end; i++) {
            if (bytes[i] == '\n') {
                line.update(bytes, begun, i - begun);
                sum += ByteBuffer.wrap(line.digest()).getLong();
                count++;
                begun = i + 1;
            }
        }
        line.update(bytes, begun, end - begun);
    }

    /** What has been written so far. */
    Rows rows() {
        return new Rows(count, Long.toString(sum));
    }
}
