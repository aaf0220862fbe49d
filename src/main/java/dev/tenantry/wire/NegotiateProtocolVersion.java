package dev.tenantry.wire;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The message {@code v} that tells a client which minor version of protocol 3 will be spoken and which of its protocol
 * options are unknown; sent before the first authentication request.
 *
 * @param minor the minor version that is spoken from here on
 * @param unknownOptions the names of the options that are unknown, all of them {@code _pq_.} something
 */
public record NegotiateProtocolVersion(int minor, List<String> unknownOptions) {

    private static final byte TYPE = 'v';

    public NegotiateProtocolVersion {
        unknownOptions = List.copyOf(unknownOptions);
    }

    /** Appends the whole message, type byte and length word included; the buffer stays the caller's. */
    public void encode(ByteBuf out) {
        out.writeByte(TYPE);
        int lengthIndex = out.writerIndex();
        out.writeInt(0);
        // The field holds the whole version, major number too, although the manual speaks of the minor one.
        out.writeInt(3 << 16 | minor);
        out.writeInt(unknownOptions.size());
        for (String option : unknownOptions) {
            out.writeCharSequence(option, StandardCharsets.UTF_8);
            out.writeByte(0);
        }
        out.setInt(lengthIndex, out.writerIndex() - lengthIndex);
    }
}
