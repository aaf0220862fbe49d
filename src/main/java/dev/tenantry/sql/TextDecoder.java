package dev.tenantry.sql;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What the bytes of identifiers and string literals mean, by PostgreSQL's rules. Not thread-safe: it has a buffer. */
final class TextDecoder {

    /** {@code '...'}, {@code B'...'}, {@code X'...'}, {@code "..."}. */
    static final byte PLAIN = 0;
    /** {@code E'...'}, or {@code '...'} without standard_conforming_strings. */
    static final byte ESCAPES = 1;
    /** {@code U&'...'} and {@code U&"..."}, UESCAPE included. */
    static final byte UNICODE = 2;
    /** {@code $tag$...$tag$}. */
    static final byte DOLLAR = 3;
    /** {@code N'...'}, which PostgreSQL reads as a typed literal. */
    static final byte NATIONAL = 4;
    /** The same without standard_conforming_strings. */
    static final byte NATIONAL_ESCAPES = 5;

    static final int UESCAPE_LENGTH = 7;

    private static final int RECENT = 512;
    private static final byte[] UESCAPE = "uescape".getBytes(StandardCharsets.US_ASCII);

    private final String[] recent = new String[RECENT];
    private byte[] text = new byte[0];
    private Charset charset = StandardCharsets.UTF_8;
    private byte[] buffer = new byte[128];
    private int length;

    TextDecoder() {
        Arrays.fill(recent, "");
    }

    void reset(byte[] newText, Charset newCharset) {
        text = newText;
        charset = newCharset;
    }

    String plain(int start, int end) {
        return new String(text, start, end - start, charset);
    }

    /** An identifier without quotes. Names seen lately are kept, so that they cost no allocation. */
    String folded(int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            if (text[i] < 0) {
                return foldedSlowly(start, end);
            }
            hash = hash * 31 + KnownNames.folded(text[i]);
        }
        int slot = (hash ^ (hash >>> 16)) & (RECENT - 1);
        if (!isFolded(recent[slot], start, end)) {
            recent[slot] = foldedSlowly(start, end);
        }
        return recent[slot];
    }

    private boolean isFolded(String candidate, int start, int end) {
        if (candidate.length() != end - start) {
            return false;
        }
        for (int i = 0; i < candidate.length(); i++) {
            if (candidate.charAt(i) != KnownNames.folded(text[start + i])) {
                return false;
            }
        }
        return true;
    }

    private String foldedSlowly(int start, int end) {
        length = 0;
        for (int i = start; i < end; i++) {
            append(KnownNames.folded(text[i]));
        }
        return SearchPath.truncated(taken());
    }

    /** An identifier in double quotes. */
    String quoted(int start, int end, byte form) {
        return SearchPath.truncated(delimited(start, end, form, (byte) '"'));
    }

    /** A string literal of any form. */
    String string(int start, int end, byte form) {
        if (form == DOLLAR) {
            int tag = 1;
            while (text[start + tag] != '$') {
                tag++;
            }
            return plain(start + tag + 1, end - tag - 1);
        }
        return delimited(start, end, form, (byte) '\'');
    }

    private String delimited(int start, int end, byte form, byte quote) {
        int at = start;
        while (text[at] != quote) {
            at++;
        }
        at++;
        length = 0;
        boolean escapes = form == ESCAPES || form == NATIONAL_ESCAPES;
        int escape = form == UNICODE ? unicodeEscape(at, end, quote) : -1000;
        char high = 0;
        while (at < end) {
            byte b = text[at];
            if (b == quote) {
                if (at + 1 < end && text[at + 1] == quote) {
                    append(quote);
                    at += 2;
                    continue;
                }
                int next = quote == '\'' ? continuation(text, at + 1, end) : -1;
                if (next < 0) {
                    break;
                }
                at = next;
            } else if ((escapes && b == '\\') || b == escape) {
                long unit = escapes ? escaped(at + 1, end) : unicode(at + 1, end, escape);
                at = (int) (unit >>> 32);
                high = appendUnit((int) unit, high);
            } else {
                append(b);
                at++;
            }
        }
        return taken();
    }

    /** Appends a byte (negative: its complement) or a code point; surrogate halves wait for each other. */
    private char appendUnit(int unit, char high) {
        if (unit < 0) {
            append((byte) ~unit);
        } else if (unit <= Character.MAX_VALUE && Character.isHighSurrogate((char) unit)) {
            return (char) unit;
        } else {
            boolean low = unit <= Character.MAX_VALUE && Character.isLowSurrogate((char) unit);
            int point = low && high != 0 ? Character.toCodePoint(high, (char) unit) : unit;
            if (Character.isValidCodePoint(point)) {
                for (byte b : Character.toString(point).getBytes(charset)) {
                    append(b);
                }
            }
        }
        return 0;
    }

    /** What follows a backslash of E'...': where it ends in the upper half, what it is in the lower. */
    private long escaped(int at, int end) {
        if (at >= end) {
            return pack(at, ~'\\');
        }
        byte b = text[at];
        return switch (b) {
            case 'b' -> pack(at + 1, ~'\b');
            case 'f' -> pack(at + 1, ~'\f');
            case 'n' -> pack(at + 1, ~'\n');
            case 'r' -> pack(at + 1, ~'\r');
            case 't' -> pack(at + 1, ~'\t');
            case 'v' -> pack(at + 1, ~0x0b);
            case 'x' -> number(at + 1, end, 2, 16, true, b);
            case 'u' -> number(at + 1, end, 4, 16, false, b);
            case 'U' -> number(at + 1, end, 8, 16, false, b);
            case '0', '1', '2', '3', '4', '5', '6', '7' -> number(at, end, 3, 8, true, b);
            default -> pack(at + 1, ~(b & 0xff));
        };
    }

    private long unicode(int at, int end, int escape) {
        if (at < end && text[at] == escape) {
            return pack(at + 1, ~(escape & 0xff));
        }
        return at < end && text[at] == '+'
                ? number(at + 1, end, 6, 16, false, (byte) '+')
                : number(at, end, 4, 16, false, (byte) escape);
    }

    private long number(int from, int end, int digitsMax, int radix, boolean isByte, byte otherwise) {
        int value = 0;
        int at = from;
        while (at < end && at < from + digitsMax && Character.digit((char) (text[at] & 0xff), radix) >= 0) {
            value = value * radix + Character.digit((char) (text[at] & 0xff), radix);
            at++;
        }
        if (at == from) {
            return pack(from, ~(otherwise & 0xff));
        }
        return pack(at, isByte ? ~(value & 0xff) : value & Integer.MAX_VALUE);
    }

    private static long pack(int at, int unit) {
        return ((long) at << 32) | (unit & 0xffffffffL);
    }

    /** The escape character of a Unicode form: a backslash, unless a UESCAPE clause ends the token. */
    private int unicodeEscape(int open, int end, byte quote) {
        int at = open;
        while (at < end) {
            if (text[at++] == quote) {
                if (at < end && text[at] == quote) {
                    at++;
                } else {
                    int next = quote == '\'' ? continuation(text, at, end) : -1;
                    if (next < 0) {
                        break;
                    }
                    at = next;
                }
            }
        }
        return at < end ? text[end - 2] : '\\';
    }

    private void append(byte b) {
        if (length == buffer.length) {
            buffer = Arrays.copyOf(buffer, length * 2);
        }
        buffer[length++] = b;
    }

    private String taken() {
        String taken = new String(buffer, 0, length, charset);
        if (buffer.length > 1 << 16) {
            buffer = new byte[128];
        }
        return taken;
    }

    // --- shapes that the lexer asks about
    // -----------------------------------------------------------------------------

    /** Where a string literal goes on after its quote, on another line; -1 when it does not. */
    static int continuation(byte[] text, int from, int limit) {
        boolean newline = false;
        int at = from;
        while (at < limit) {
            byte b = text[at];
            if (b == '\n' || b == '\r') {
                newline = true;
                at++;
            } else if (b == ' ' || b == '\t' || b == '\f' || b == 0x0b) {
                at++;
            } else if (b == '-' && at + 1 < limit && text[at + 1] == '-') {
                at = lineEnd(text, at, limit);
            } else {
                return b == '\'' && newline ? at + 1 : -1;
            }
        }
        return -1;
    }

    static int lineEnd(byte[] text, int from, int limit) {
        int at = from;
        while (at < limit && text[at] != '\n' && text[at] != '\r') {
            at++;
        }
        return at;
    }

    /** The end of a comment, others inside it included; -1 when it has none. */
    static int commentEnd(byte[] text, int from, int limit) {
        int depth = 0;
        int at = from;
        while (at + 1 < limit) {
            if (text[at] == '/' && text[at + 1] == '*') {
                depth++;
                at += 2;
            } else if (text[at] == '*' && text[at + 1] == '/') {
                at += 2;
                if (--depth == 0) {
                    return at;
                }
            } else {
                at++;
            }
        }
        return -1;
    }

    /** Where the bytes {@code [tag, tag + tagLength)} are found again; -1 when they are not. */
    static int indexOf(byte[] text, int from, int limit, int tag, int tagLength) {
        for (int at = from; at + tagLength <= limit; at++) {
            if (text[at] == '$' && Arrays.equals(text, at, at + tagLength, text, tag, tag + tagLength)) {
                return at;
            }
        }
        return -1;
    }

    static boolean isUescape(byte[] text, int at, int limit) {
        if (at + UESCAPE_LENGTH >= limit) {
            return false;
        }
        for (int i = 0; i < UESCAPE_LENGTH; i++) {
            if (KnownNames.folded(text[at + i]) != UESCAPE[i]) {
                return false;
            }
        }
        byte next = text[at + UESCAPE_LENGTH];
        return next == '\'' || next == '-' || next == '/' || next == ' ' || (next >= '\t' && next <= '\r');
    }
}
