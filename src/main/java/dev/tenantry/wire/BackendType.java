package dev.tenantry.wire;

/** First bytes of the messages a server sends ("Message Formats" of the PostgreSQL manual). */
public final class BackendType {
    public static final byte AUTHENTICATION = 'R';
    public static final byte BACKEND_KEY_DATA = 'K';
    public static final byte BIND_COMPLETE = '2';
    public static final byte CLOSE_COMPLETE = '3';
    public static final byte COMMAND_COMPLETE = 'C';
    public static final byte COPY_DATA = 'd';
    public static final byte COPY_DONE = 'c';
    public static final byte COPY_IN_RESPONSE = 'G';
    public static final byte COPY_OUT_RESPONSE = 'H';
    public static final byte COPY_BOTH_RESPONSE = 'W';
    public static final byte DATA_ROW = 'D';
    public static final byte EMPTY_QUERY_RESPONSE = 'I';
    public static final byte ERROR_RESPONSE = 'E';
    public static final byte FUNCTION_CALL_RESPONSE = 'V';
    public static final byte NEGOTIATE_PROTOCOL_VERSION = 'v';
    public static final byte NO_DATA = 'n';
    public static final byte NOTICE_RESPONSE = 'N';
    public static final byte NOTIFICATION_RESPONSE = 'A';
    public static final byte PARAMETER_DESCRIPTION = 't';
    public static final byte PARAMETER_STATUS = 'S';
    public static final byte PARSE_COMPLETE = '1';
    public static final byte PORTAL_SUSPENDED = 's';
    public static final byte READY_FOR_QUERY = 'Z';
    public static final byte ROW_DESCRIPTION = 'T';

    private BackendType() {}

    /** Whether a server answers a client's messages with it, apart from what may come at any time. */
    public static boolean isAnswer(byte type) {
        return switch (type) {
            case PARSE_COMPLETE,
                    BIND_COMPLETE,
                    CLOSE_COMPLETE,
                    COMMAND_COMPLETE,
                    DATA_ROW,
                    ERROR_RESPONSE,
                    COPY_IN_RESPONSE,
                    COPY_OUT_RESPONSE,
                    COPY_DATA,
                    COPY_DONE,
                    EMPTY_QUERY_RESPONSE,
                    FUNCTION_CALL_RESPONSE,
                    NO_DATA,
                    PARAMETER_DESCRIPTION,
                    PORTAL_SUSPENDED,
                    READY_FOR_QUERY,
                    ROW_DESCRIPTION -> true;
            default -> false;
        };
    }

    /** What must come before the ReadyForQuery of a Query or FunctionCall, so that a stray one is not taken for it. */
    public static boolean answersWhole(byte type) {
        return switch (type) {
            case COMMAND_COMPLETE, EMPTY_QUERY_RESPONSE, ERROR_RESPONSE, FUNCTION_CALL_RESPONSE -> true;
            default -> false;
        };
    }

    /** Whether a server may send it at any time ("Asynchronous Operations" in "Message Flow"). */
    public static boolean isAsynchronous(byte type) {
        return type == NOTICE_RESPONSE || type == NOTIFICATION_RESPONSE || type == PARAMETER_STATUS;
    }
}
