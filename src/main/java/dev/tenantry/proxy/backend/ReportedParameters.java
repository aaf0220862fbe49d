package dev.tenantry.proxy.backend;

import dev.tenantry.wire.Bytes;
import dev.tenantry.wire.ClientEncoding;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a server has reported of its settings. It writes the values in the client_encoding that it has then, which it
 * may report itself only behind them: both come right before ReadyForQuery, in the order in which they were set last.
 */
final class ReportedParameters {
    private final Map<String, String> values = new HashMap<>();
    private final Map<String, byte[]> undecided = new HashMap<>(0);

    /** The values by name as reported. */
    Map<String, String> values() {
        return Collections.unmodifiableMap(values);
    }

    /** Notes a ParameterStatus message. */
    void note(ByteBuf in, int index, int frameLength) {
        int end = index + frameLength - 1;
        int nameEnd = Bytes.endOfString(in, index + 5, end);
        String name = Bytes.string(in, index + 5, nameEnd);
        byte[] value = ByteBufUtil.getBytes(in, nameEnd + 1, end - nameEnd - 1);
        values.put(name, new String(value, charset()));
        if (name.equals(ClientEncoding.SETTING)) {
            undecided.forEach((other, bytes) -> values.put(other, new String(bytes, charset())));
        } else if (!isAscii(value)) {
            undecided.put(name, value);
        }
    }

    /** ReadyForQuery has come: what is reported from now on may be written in another encoding. */
    void settle() {
        if (!undecided.isEmpty()) {
            undecided.clear();
        }
    }

    private Charset charset() {
        @Nullable String encoding = values.get(ClientEncoding.SETTING);
        return encoding == null ? StandardCharsets.UTF_8 : ClientEncoding.charset(encoding);
    }

    private static boolean isAscii(byte[] text) {
        for (byte each : text) {
            if (each < 0) {
                return false;
            }
        }
        return true;
    }
}
