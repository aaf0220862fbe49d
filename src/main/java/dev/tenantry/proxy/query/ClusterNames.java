package dev.tenantry.proxy.query;

import dev.tenantry.proxy.session.Prepared;
import dev.tenantry.sql.StatementFacts;
import dev.tenantry.sql.StatementFacts.TenantryName;
import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes Citus's names as the names they have here: {@code citus_schemas} becomes {@code tenantry.citus_schemas}, so
 * that they resolve with any search_path. Pure.
 */
final class ClusterNames {
    private static final byte[] SCHEMA = "tenantry.".getBytes(StandardCharsets.US_ASCII);

    private ClusterNames() {}

    /** The statement as a Query message. */
    static ByteBuf query(ByteBufAllocator allocator, byte[] text, StatementFacts facts) {
        byte[] rewritten = rewrite(text, facts.start(), facts.end(), List.of(facts));
        ByteBuf out = allocator.buffer(rewritten.length + 6);
        FrontendMessages.query(out, rewritten, 0, rewritten.length);
        return out;
    }

    /** The statement of a Parse message, prepared under the names it has here. */
    static Prepared prepared(String name, ByteBuf in, int index, int frameLength, StatementFacts facts) {
        int textStart = Bytes.endOfString(in, index + 5, index + frameLength) + 1;
        int textEnd = Bytes.endOfString(in, textStart, index + frameLength);
        byte[] text = ByteBufUtil.getBytes(in, textStart, textEnd - textStart);
        byte[] rewritten = rewrite(text, 0, text.length, List.of(facts));
        byte[] types = ByteBufUtil.getBytes(in, textEnd + 1, index + frameLength - textEnd - 1);
        ByteBuf out = Unpooled.buffer(rewritten.length + name.length() + types.length + 16);
        out.writeByte(FrontendType.PARSE).writeInt(0);
        Bytes.writeRaw(out, name);
        int newTextStart = out.writerIndex();
        out.writeBytes(rewritten).writeByte(0).writeBytes(types);
        out.setInt(1, out.writerIndex() - 1);
        return Prepared.ofParse(name, ByteBufUtil.getBytes(out), newTextStart, rewritten.length, facts);
    }

    /** The text from {@code start} to {@code end} with all names of ours in these statements qualified. */
    static byte[] rewrite(byte[] text, int start, int end, List<StatementFacts> statements) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(end - start + 64);
        int at = start;
        for (StatementFacts facts : statements) {
            for (TenantryName name : facts.tenantryNames()) {
                out.write(text, at, name.start() - at);
                out.writeBytes(SCHEMA);
                out.writeBytes(name.name().getBytes(StandardCharsets.US_ASCII));
                at = name.end();
            }
        }
        out.write(text, at, end - at);
        return out.toByteArray();
    }
}
