package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;

/**
 * What a RowDescription says of the columns of a result, as far as PostgreSQL compares it before it runs a prepared
 * statement again: names, types, modifiers, in their order ({@code equalRowTypes} in tupdesc.c; collations and domains
 * are not on the wire). Two hashes of 64 bits, so that it can be kept with every statement.
 *
 * @param exact of all of it
 * @param alike of the same, where the types that are not PostgreSQL's own are told apart from those that are, but not
 *     from each other: each server has its own numbers for them
 */
public record ResultShape(long exact, long alike) {
    /** Of a statement that returns nothing. */
    public static final ResultShape NONE = new ResultShape(0, 0);

    /** The lowest number of an object that is not PostgreSQL's own (FirstNormalObjectId in transam.h). */
    private static final int FIRST_OF_OTHERS = 16384;

    private static final long SEED = 0xcbf29ce484222325L;
    private static final long FACTOR = 0x9e3779b97f4a7c15L;
    /** Table, column number, type, length of type, modifier, format. */
    private static final int BEHIND_NAME = 18;

    /**
     * The shape of a whole RowDescription message.
     *
     * @param index where the message's type byte is
     * @param frameLength type byte, length word and body
     */
    public static ResultShape of(ByteBuf in, int index, int frameLength) {
        int end = index + frameLength;
        int at = index + 7;
        long exact = SEED;
        long alike = SEED;
        while (at < end) {
            int nameEnd = Bytes.endOfString(in, at, end);
            if (nameEnd < 0 || end - nameEnd - 1 < BEHIND_NAME) {
                break;
            }
            for (; at <= nameEnd; at++) {
                exact = mixed(exact, in.getByte(at));
                alike = mixed(alike, in.getByte(at));
            }
            int type = in.getInt(at + 6);
            int modifier = in.getInt(at + 12);
            boolean own = Integer.compareUnsigned(type, FIRST_OF_OTHERS) < 0;
            exact = mixed(mixed(exact, type), modifier);
            alike = mixed(mixed(alike, own ? type : FIRST_OF_OTHERS), modifier);
            at += BEHIND_NAME;
        }
        return new ResultShape(exact, alike);
    }

    private static long mixed(long hash, int value) {
        long mixed = (hash ^ value) * FACTOR;
        return mixed ^ mixed >>> 29;
    }
}
