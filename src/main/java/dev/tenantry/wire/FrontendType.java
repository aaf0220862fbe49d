package dev.tenantry.wire;

/** First bytes of the messages a client sends ("Message Formats" of the PostgreSQL manual). */
public final class FrontendType {
    public static final byte BIND = 'B';
    public static final byte CLOSE = 'C';
    public static final byte COPY_DATA = 'd';
    public static final byte COPY_DONE = 'c';
    public static final byte COPY_FAIL = 'f';
    public static final byte DESCRIBE = 'D';
    public static final byte EXECUTE = 'E';
    public static final byte FLUSH = 'H';
    public static final byte FUNCTION_CALL = 'F';
    public static final byte PARSE = 'P';
    public static final byte PASSWORD = 'p';
    public static final byte QUERY = 'Q';
    public static final byte SYNC = 'S';
    public static final byte TERMINATE = 'X';

    /** PQ_SMALL_MESSAGE_LIMIT of PostgreSQL's src/include/libpq/libpq.h. */
    private static final int SMALL_LENGTH_MAX = 10_000;

    private FrontendType() {}

    /** The longest length word a message that holds a name at most may have; others are limited elsewhere. */
    public static int lengthMax(byte type) {
        return switch (type) {
            case DESCRIBE, EXECUTE, CLOSE, FLUSH, SYNC, TERMINATE -> SMALL_LENGTH_MAX;
            default -> Integer.MAX_VALUE;
        };
    }
}
