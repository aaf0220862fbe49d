package dev.tenantry.proxy.query;

import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.proxy.session.SqlErrors;
import dev.tenantry.wire.SqlError;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;

/** Holds a Bind message of a statement that no node sees against what the statement takes, as a server does. */
final class BoundValues {
    private final ByteBuf in;
    private final int end;
    private int at;

    private BoundValues(ByteBuf in, int at, int end) {
        this.in = in;
        this.at = at;
        this.end = end;
    }

    /**
     * Checks a whole Bind message.
     *
     * @param index where the format codes of the parameters begin, behind the two names
     * @param end where the message ends
     * @throws SqlErrorException in PostgreSQL's own words, when it does not fit
     */
    static void check(Prepared prepared, ByteBuf in, int index, int end) {
        new BoundValues(in, index, end).check(prepared);
    }

    private void check(Prepared prepared) {
        int formats = count();
        skip(formats * Short.BYTES);
        int values = count();
        if (formats > 1 && formats != values) {
            throw violation("bind message has " + formats + " parameter formats but " + values + " parameters");
        }
        if (values != prepared.declaredTypes()) {
            throw violation("bind message supplies " + values + " parameters, but prepared statement \""
                    + prepared.name() + "\" requires " + prepared.declaredTypes());
        }
        for (int i = 0; i < values; i++) {
            require(Integer.BYTES);
            int length = in.getInt(at);
            at += Integer.BYTES;
            skip(Math.max(0, length));
        }
        skip(count() * Short.BYTES);
        if (at != end) {
            throw SqlErrors.invalidFormat();
        }
    }

    private int count() {
        require(Short.BYTES);
        int count = in.getUnsignedShort(at);
        at += Short.BYTES;
        return count;
    }

    private void skip(int length) {
        require(length);
        at += length;
    }

    private void require(int length) {
        if (length > end - at) {
            throw SqlErrors.insufficientData();
        }
    }

    private static SqlErrorException violation(String message) {
        return new SqlErrorException(SqlError.error("08P01", message));
    }
}
