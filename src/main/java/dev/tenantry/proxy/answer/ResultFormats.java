package dev.tenantry.proxy.answer;

import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import java.util.BitSet;

/** Which columns of a result a client wants in binary. Immutable. */
public final class ResultFormats {
    /** All as text, as simple queries are answered and statements are described. */
    public static final ResultFormats TEXT = new ResultFormats(new BitSet());

    private final BitSet binary;

    private ResultFormats(BitSet binary) {
        this.binary = binary;
    }

    boolean isBinary(int column) {
        return binary.get(column);
    }

    /**
     * Reads the end of a whole Bind message.
     *
     * @param index where the format codes of the parameters begin, behind the two names
     * @param end where the message ends
     * @param columns how many columns the result has
     * @throws SqlErrorException in PostgreSQL's own words, when they do not fit
     */
    public static ResultFormats read(ByteBuf in, int index, int end, int columns) {
        int at = afterValues(in, index, end);
        int count = count(in, at, end);
        if (end - at - Short.BYTES != count * Short.BYTES) {
            throw malformed();
        }
        if (count > 1 && count != columns) {
            throw new SqlErrorException(SqlError.error(
                    "08P01", "bind message has " + count + " result formats but query has " + columns + " columns"));
        }
        BitSet wanted = new BitSet();
        for (int i = 0; i < count; i++) {
            int code = in.getShort(at + Short.BYTES * (i + 1));
            if (code != 0 && code != 1) {
                throw new SqlErrorException(SqlError.error("22023", "unsupported format code: " + code));
            }
            wanted.set(count == 1 ? 0 : i, count == 1 ? columns : i + 1, code == 1);
        }
        return wanted.isEmpty() ? TEXT : new ResultFormats(wanted);
    }

    private static int afterValues(ByteBuf in, int index, int end) {
        int at = index + Short.BYTES + Short.BYTES * count(in, index, end);
        int values = count(in, at, end);
        at += Short.BYTES;
        for (int i = 0; i < values; i++) {
            if (end - at < Integer.BYTES) {
                throw malformed();
            }
            int length = Math.max(0, in.getInt(at));
            at += Integer.BYTES;
            if (length > end - at) {
                throw malformed();
            }
            at += length;
        }
        return at;
    }

    private static int count(ByteBuf in, int at, int end) {
        if (end - at < Short.BYTES) {
            throw malformed();
        }
        return in.getUnsignedShort(at);
    }

    private static SqlErrorException malformed() {
        return new SqlErrorException(SqlError.error("08P01", "insufficient data left in message"));
    }
}
