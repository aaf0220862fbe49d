package dev.tenantry.proxy.session;

import io.netty.buffer.ByteBuf;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** The text values of a Bind message; binary values of text-like parameters are their text as well. */
public record BoundParameters(List<@Nullable String> values) {
    public static final BoundParameters NONE = new BoundParameters(List.of());
    /** Stands for a value that is not known; told by identity. */
    @SuppressWarnings("StringOperationCanBeSimplified") // no other value may be this one
    public static final String UNKNOWN = new String("unknown");

    private static final int VALUE_LENGTH_MAX = 65_536;

    /** What a reader of text puts where bytes are none. */
    private static final char REPLACEMENT = '\ufffd';

    /** What the server takes for text, or as it is: no type, text, unknown, varchar. */
    private static final Set<Integer> TEXTS = Set.of(0, 25, 705, 1043);

    /** The value of parameter {@code number}, counted from 1; null when NULL, too long to be kept, or not there. */
    @Nullable
    public String text(int number) {
        String value = number >= 1 && number <= values.size() ? values.get(number - 1) : null;
        return isUnknown(value) ? null : value;
    }

    /** Whether the parameter is there and NULL. */
    public boolean isNull(int number) {
        return number >= 1 && number <= values.size() && values.get(number - 1) == null;
    }

    /** The same without values of another type than text; {@code types} tells oids of types, counted from 0. */
    BoundParameters ofTypes(IntUnaryOperator types) {
        List<@Nullable String> known = new ArrayList<>(values);
        for (int i = 0; i < known.size(); i++) {
            if (known.get(i) != null && !TEXTS.contains(types.applyAsInt(i))) {
                known.set(i, UNKNOWN);
            }
        }
        return new BoundParameters(known);
    }

    @SuppressWarnings({"ReferenceEquality", "StringEquality"}) // told by identity
    private static boolean isUnknown(@Nullable String value) {
        return value == UNKNOWN;
    }

    /** Two values that can't be read must not be taken for the same. */
    private static String known(String value) {
        return value.indexOf(REPLACEMENT) < 0 ? value : UNKNOWN;
    }

    /**
     * Reads a whole Bind message. One whose counts and lengths do not fit has no readable values: the node, which gets
     * it unchanged, says what is wrong with it.
     *
     * @param index where the format codes begin, behind the two names
     * @param end where the message ends
     * @param charset the client's encoding; what is nothing in it is not known
     */
    public static BoundParameters read(ByteBuf in, int index, int end, Charset charset) {
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
            if (length < 0) {
                values.add(null);
            } else {
                values.add(length <= VALUE_LENGTH_MAX ? known(in.toString(at, length, charset)) : UNKNOWN);
            }
            at += Math.max(length, 0);
        }
        return new BoundParameters(values);
    }
}
