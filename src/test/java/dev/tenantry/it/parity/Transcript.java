package dev.tenantry.it.parity;

import dev.tenantry.support.Message;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Messages as lines of text, without what two servers can't have in common: object ids that the server hands out, and
 * process ids.
 */
public final class Transcript {

    /** The first object id that is not PostgreSQL's own, FirstNormalObjectId. */
    private static final int FIRST_OWN_OID = 16_384;

    private static final int SHOWN_MAX = 2_000;

    private Transcript() {}

    /** One line a message, with what the entries mask left out; several ParameterStatus in a row have no order. */
    public static List<String> of(Answer answer) {
        List<String> lines = new ArrayList<>(answer.messages().stream()
                .filter(message -> message.type() != 'A')
                .map(message -> masked(line(message), answer.entries()))
                .toList());
        for (int start = 0; start < lines.size(); start++) {
            int end = start;
            while (end < lines.size() && lines.get(end).startsWith("S ")) {
                end++;
            }
            Collections.sort(lines.subList(start, end));
            start = end;
        }
        return lines;
    }

    /** The notifications of a whole session; they come when the server finds time, so only their order is compared. */
    public static List<String> notifications(List<Answer> answers) {
        return answers.stream()
                .flatMap(answer -> answer.messages().stream())
                .filter(message -> message.type() == 'A')
                .map(Transcript::line)
                .toList();
    }

    /**
     * What a server said, as the proxy may say it: errors that it raises in PostgreSQL's place have no line in
     * PostgreSQL's source.
     */
    public static List<String> withoutSource(List<String> expected, List<String> actual) {
        if (expected.size() != actual.size()) {
            return expected;
        }
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            String line = expected.get(i);
            boolean ours = (line.startsWith("E ") || line.startsWith("N "))
                    && !actual.get(i).contains(", R=");
            lines.add(ours ? line.replaceFirst(", F=[^,]*, L=[^,]*, R=[^,]*}$", "}") : line);
        }
        return lines;
    }

    private static String masked(String line, List<Entry> entries) {
        String masked = line;
        for (Entry entry : entries) {
            for (var mask : entry.masks()) {
                masked = mask.matcher(masked).replaceAll("*");
            }
        }
        return masked.length() <= SHOWN_MAX
                ? masked
                : masked.substring(0, SHOWN_MAX) + "... " + masked.length() + " characters, hash " + masked.hashCode();
    }

    private static String line(Message message) {
        char type = message.type();
        return type + " "
                + switch (type) {
                    case 'T' -> rowDescription(message.reader());
                    case 't' -> parameterDescription(message.reader());
                    case 'D' -> row(message.reader());
                    case 'E', 'N' -> message.fields().toString();
                    case 'A' -> notification(message);
                    case 'C', 'S' -> message.strings().toString();
                    case 'Z' -> message.text();
                    case 'd' -> visible(message.body());
                    case 'V' -> HexFormat.of().formatHex(message.body());
                    default -> HexFormat.of().formatHex(message.body());
                };
    }

    private static String rowDescription(ByteBuffer in) {
        List<String> fields = new ArrayList<>();
        int count = in.getShort();
        for (int i = 0; i < count; i++) {
            String name = string(in);
            boolean ofTable = in.getInt() != 0;
            fields.add(name + "(" + (ofTable ? "column " + in.getShort() : "computed " + in.getShort()) + " type "
                    + oid(in.getInt()) + " length " + in.getShort() + " modifier " + in.getInt() + " format "
                    + in.getShort() + ")");
        }
        return fields.toString();
    }

    private static String parameterDescription(ByteBuffer in) {
        List<String> types = new ArrayList<>();
        int count = in.getShort();
        for (int i = 0; i < count; i++) {
            types.add(oid(in.getInt()));
        }
        return types.toString();
    }

    private static String oid(int oid) {
        return oid >= FIRST_OWN_OID ? "own" : Integer.toString(oid);
    }

    private static String row(ByteBuffer in) {
        List<String> columns = new ArrayList<>();
        int count = in.getShort();
        for (int i = 0; i < count; i++) {
            int length = in.getInt();
            if (length < 0) {
                columns.add("NULL");
            } else {
                byte[] value = new byte[length];
                in.get(value);
                columns.add("'" + visible(value) + "'");
            }
        }
        return columns.stream().collect(Collectors.joining(", ", "(", ")"));
    }

    private static String notification(Message message) {
        byte[] body = message.body();
        return visible(Arrays.copyOfRange(body, Integer.BYTES, body.length));
    }

    private static String visible(byte[] bytes) {
        StringBuilder out = new StringBuilder();
        for (char character : new String(bytes, StandardCharsets.ISO_8859_1).toCharArray()) {
            if (character >= ' ' && character < 0x7f) {
                out.append(character);
            } else {
                out.append(String.format("\\x%02x", (int) character));
            }
        }
        return out.toString();
    }

    private static String string(ByteBuffer in) {
        StringBuilder out = new StringBuilder();
        for (byte b = in.get(); b != 0; b = in.get()) {
            out.append((char) (b & 0xff));
        }
        return out.toString();
    }
}
