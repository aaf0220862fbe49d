package dev.tenantry.proxy.session;

import dev.tenantry.routing.Route;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import dev.tenantry.wire.ResultShape;
import dev.tenantry.wire.SqlErrorException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A prepared statement of the client: its text, and where it went last. Kept so that it can be prepared again on
 * another node.
 */
public final class Prepared {
    private final String name;
    private final byte[] message;
    private final int textStart;
    private final int textLength;
    private final @Nullable StatementFacts facts;
    private final boolean sql;
    private final boolean whole;
    private boolean confirmed;
    private long confirmedNanos;
    private @Nullable Prepared replaced;
    private @Nullable Result result;
    private @Nullable Route route;
    private int routeSettings = -1;
    private @Nullable Object routeCatalog;
    private @Nullable Object routeMain;

    /** The bytes that prepare a statement, and where its text is among them. */
    @SuppressWarnings("ArrayRecordComponent") // made here, written nowhere
    private record Source(byte[] message, int textStart, int textLength) {
        static final Source UNKNOWN = new Source(new byte[0], 0, 0);
    }

    /**
     * What a server has said of the statement's result.
     *
     * @param shape its columns
     * @param nodeId the node that has said it
     * @param catalogVersion the catalog's then: while it is the same, nothing has moved to that node
     */
    public record Result(ResultShape shape, int nodeId, long catalogVersion) {

        /** Whether a server to which both were the same statement's would not say that the result has changed. */
        boolean matches(Result other) {
            boolean comparable = nodeId == other.nodeId && catalogVersion == other.catalogVersion;
            return shape.alike() == other.shape.alike() && (!comparable || shape.exact() == other.shape.exact());
        }
    }

    private Prepared(String name, Source source, @Nullable StatementFacts facts, boolean sql) {
        this.name = name;
        this.message = source.message();
        this.textStart = source.textStart();
        this.textLength = source.textLength();
        this.facts = facts;
        this.sql = sql;
        this.whole = source != Source.UNKNOWN;
    }

    /** A statement of a Parse message; {@code facts} is null for empty text. */
    public static Prepared ofParse(
            String name, byte[] message, int textStart, int textLength, @Nullable StatementFacts facts) {
        return new Prepared(name, new Source(message, textStart, textLength), facts, false);
    }

    /** A statement of a Parse message so long that it was not kept: only the backend it went to can run it. */
    public static Prepared ofGiant(String name, StatementFacts facts) {
        return new Prepared(name, Source.UNKNOWN, facts, false);
    }

    /** A statement of PREPARE, with the whole PREPARE as its text. */
    public static Prepared ofSql(String name, byte[] text, StatementFacts facts) {
        return new Prepared(name, new Source(text, 0, text.length), facts, true);
    }

    /** A statement that does nothing, under a name of the client's. */
    public static Prepared empty(String name) {
        ByteBuf out = Unpooled.buffer(name.length() + 16);
        FrontendMessages.parse(out, name, new byte[0], 0, 0);
        byte[] message = ByteBufUtil.getBytes(out);
        return ofParse(name, message, name.length() + 6, 0, null);
    }

    public String name() {
        return name;
    }

    /** When a server has said first that it is prepared, of {@link System#nanoTime()}; not told of the unnamed one. */
    public long confirmedNanos() {
        return confirmedNanos;
    }

    @Nullable
    public StatementFacts facts() {
        return facts;
    }

    /** The statement's text, as bytes of {@link #message()}. */
    public int textStart() {
        return textStart;
    }

    public int textLength() {
        return textLength;
    }

    /** The whole Parse message, or the text of PREPARE. */
    public byte[] message() {
        return message;
    }

    public String text() {
        return new String(message, textStart, textLength, StandardCharsets.ISO_8859_1);
    }

    /** Whether it was made by PREPARE, so that preparing it again is a Query. */
    public boolean isSql() {
        return sql;
    }

    /** Whether running a statement changes the session's model. */
    public static boolean isEffect(StatementFacts facts) {
        return switch (facts.action()) {
            case StatementAction.None _, StatementAction.DeclareCursor _, StatementAction.OnCursor _ ->
                !facts.settingCalls().isEmpty();
            default -> true;
        };
    }

    /** Whether its route depends on the values bound to it. */
    public boolean isRoutedByParameters() {
        return facts != null && facts.parameterMayNameSchema();
    }

    /**
     * Whether a server refuses to run it when its result is not what it was. Of statements without a plan of their own
     * some are not looked at again, and the others' results do not change.
     */
    public boolean isCompared() {
        return whole
                && facts != null
                && switch (facts.kind()) {
                    case SELECT, VALUES, TABLE, INSERT, UPDATE, DELETE, MERGE, CALL, PREPARE -> true;
                    default -> false;
                };
    }

    /** What a server said of its result when it was prepared, or null when none has been asked. */
    @Nullable
    public Result result() {
        return result;
    }

    /** Notes what a server has said of its result. */
    public void result(Result said) {
        result = said;
    }

    /** Whether its result, as far as it is known, is what a server says of a statement of the same text now. */
    boolean matches(@Nullable Result now) {
        return result == null || now != null && result.matches(now);
    }

    /** The same statement as of a session that prepares it now, and gets this result. */
    Prepared changed(Result now) {
        Prepared changed = new Prepared(name, new Source(message, textStart, textLength), facts, sql);
        changed.result = now;
        return changed;
    }

    /** Whether the values bound to it must be read. */
    public boolean needsValues() {
        return facts != null
                && (facts.parameterMayNameSchema() || !facts.settingCalls().isEmpty());
    }

    /**
     * What was bound, but for the values that {@code set_config} would not take as they are: those that the Parse
     * message has given another type than text.
     */
    public BoundParameters textOf(BoundParameters bound) {
        return facts == null || facts.settingCalls().isEmpty() || sql ? bound : bound.ofTypes(this::typeOf);
    }

    /** The oid of a parameter's type, counted from 0, as the Parse message has it; 0 when it leaves that open. */
    private int typeOf(int parameter) {
        ByteBuffer types = types();
        int count = types.remaining() < Short.BYTES ? 0 : Short.toUnsignedInt(types.getShort());
        return parameter < count && types.remaining() >= (parameter + 1) * Integer.BYTES
                ? types.getInt(types.position() + parameter * Integer.BYTES)
                : 0;
    }

    /** How many parameters the Parse message gives types of, which a statement has at least. */
    public int declaredTypes() {
        ByteBuffer types = types();
        return types.remaining() < Short.BYTES ? 0 : Short.toUnsignedInt(types.getShort());
    }

    private ByteBuffer types() {
        return ByteBuffer.wrap(message).position(textStart + textLength + 1);
    }

    /** It takes the place of this unnamed statement, unless the server never comes to it. */
    public void replaces(@Nullable Prepared other) {
        replaced = other;
    }

    /** The unnamed statement that it has taken the place of, until the server confirms that. */
    @Nullable
    public Prepared replaced() {
        return replaced;
    }

    /** Whether the server has said that it is prepared. */
    public boolean isConfirmed() {
        return confirmed;
    }

    public void confirm() {
        if (!confirmed && !name.isEmpty()) {
            confirmedNanos = System.nanoTime();
        }
        confirmed = true;
        replaced = null;
    }

    /** Where it went when the settings, the catalog and the transaction's backend were these, or null. */
    @Nullable
    public Route route(int settings, Object catalog, @Nullable Object main) {
        return settings == routeSettings && catalog == routeCatalog && main == routeMain ? route : null;
    }

    /** Where it went last, or null. */
    public @Nullable Route lastRoute() {
        return route;
    }

    public void route(Route newRoute, int settings, Object catalog, @Nullable Object main) {
        route = newRoute;
        routeSettings = settings;
        routeCatalog = catalog;
        routeMain = main;
    }

    /**
     * It is about to be prepared on another backend.
     *
     * @throws SqlErrorException when it was too long to be kept
     */
    public void requireWhole() {
        if (!whole) {
            throw new SqlErrorException(SqlErrors.tooLong(
                    "prepared statement \"" + name + "\" is too long to be prepared again",
                    "It was prepared over another connection to a node; of a statement longer than"
                            + " tenantry.proxy.query-length-max the proxy keeps no copy."));
        }
    }

    /** Writes what prepares it on another backend. */
    public void writeTo(ByteBuf out) {
        if (sql) {
            out.writeByte(FrontendType.QUERY)
                    .writeInt(message.length + 5)
                    .writeBytes(message)
                    .writeByte(0);
        } else {
            out.writeBytes(message);
        }
    }
}
