package dev.tenantry.proxy.session;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The text values of a Bind message; binary values of text-like parameters are their text as well. */
public record BoundParameters(List<@Nullable String> values) {
    public static final BoundParameters NONE = new BoundParameters(List.of());
    private static final int VALUE_LENGTH_MAX = 1024;

    /** The value of parameter {@code number}, counted from 1; null when NULL, too long to be a name, or not there. */
    @Nullable
    public String text(int number) {
        return number >= 1 && number <= values.size() ? values.get(number - 1) : null;
    }

    /**
     * Reads a whole Bind message. One whose counts and lengths do not fit has no readable values: the node, which gets
     * it unchanged, says what is wrong with it.
     *
     * @param index where the format codes begin, behind the two names
     * @param end where the message ends
     */
    public static BoundParameters read(ByteBuf in, int index, int end) {
        if (end - index < 2) {
            return NONE;
        }
        int at = index + 2 + 2 * in.getUnsignedShort(index);
        if (end - at < 2) {
            return NONE;
        }
        int count = in.getUnsignedShort(at);
        at += 2;
        List<@Nullable String> values = new ArrayList<>(Math.min(count, (end - at) / 4));
        for (int i = 0; i < count && end - at >= 4; i++) {
            int length = in.getInt(at);
            at += 4;
            if (length > end - at) {
                return NONE;
            }
            values.add(
                    length >= 0 && length <= VALUE_LENGTH_MAX ? in.toString(at, length, StandardCharsets.UTF_8) : null);
            at += Math.max(length, 0);
        }
        return new BoundParameters(values);
    }
}
