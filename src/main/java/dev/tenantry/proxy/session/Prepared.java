package dev.tenantry.proxy.session;

import dev.tenantry.routing.Route;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.wire.FrontendType;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A prepared statement of the client: its text, and where it went last. Kept so that it can be prepared again on another
 * node.
 */
final class Prepared {
    private final String name;
    private final byte[] message;
    private final int textStart;
    private final int textLength;
    private final @Nullable StatementFacts facts;
    private final boolean sql;
    private boolean confirmed;
    private @Nullable Route route;
    private int routeSettings = -1;
    private @Nullable Object routeCatalog;
    private @Nullable Object routeMain;

    private Prepared(
            String name, byte[] message, int textStart, int textLength, @Nullable StatementFacts facts, boolean sql) {
        this.name = name;
        this.message = message;
        this.textStart = textStart;
        this.textLength = textLength;
        this.facts = facts;
        this.sql = sql;
    }

    /** A statement of a Parse message; {@code facts} is null for empty text. */
    static Prepared ofParse(
            String name, byte[] message, int textStart, int textLength, @Nullable StatementFacts facts) {
        return new Prepared(name, message, textStart, textLength, facts, false);
    }

    /** A statement of PREPARE, with the whole PREPARE as its text. */
    static Prepared ofSql(String name, byte[] text, StatementFacts facts) {
        return new Prepared(name, text, 0, text.length, facts, true);
    }

    String name() {
        return name;
    }

    @Nullable
    StatementFacts facts() {
        return facts;
    }

    /** The statement's text, as bytes of {@link #message()}. */
    int textStart() {
        return textStart;
    }

    int textLength() {
        return textLength;
    }

    /** The whole Parse message, or the text of PREPARE. */
    byte[] message() {
        return message;
    }

    String text() {
        return new String(message, textStart, textLength, StandardCharsets.ISO_8859_1);
    }

    /** Whether it was made by PREPARE, so that preparing it again is a Query. */
    boolean isSql() {
        return sql;
    }

    /** Whether running it changes the session's model. */
    boolean hasEffect() {
        return facts != null && Effects.isEffect(facts);
    }

    /** Whether its route depends on the values bound to it. */
    boolean isRoutedByParameters() {
        return facts != null && facts.parameterMayNameSchema();
    }

    /** Whether the values bound to it must be read. */
    boolean needsValues() {
        return facts != null
                && (facts.parameterMayNameSchema() || !facts.settingCalls().isEmpty());
    }

    /** Whether the server has said that it is prepared. */
    boolean isConfirmed() {
        return confirmed;
    }

    void confirm() {
        confirmed = true;
    }

    /** Where it went when the settings, the catalog and the transaction's backend were these, or null. */
    @Nullable
    Route route(int settings, Object catalog, @Nullable Object main) {
        return settings == routeSettings && catalog == routeCatalog && main == routeMain ? route : null;
    }

    void route(Route newRoute, int settings, Object catalog, @Nullable Object main) {
        route = newRoute;
        routeSettings = settings;
        routeCatalog = catalog;
        routeMain = main;
    }

    /** Writes what prepares it on another backend. */
    void writeTo(ByteBuf out) {
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
