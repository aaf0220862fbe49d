package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message as it was on the wire.
 *
 * @param type its type byte
 * @param body what followed its length word
 */
@SuppressWarnings("ArrayRecordComponent") // a test looks at it and drops it
public record Message(char type, byte[] body) {

    /** The types of several messages, one letter each, for example {@code TDDCZ}. */
    public static String types(List<Message> messages) {
        StringBuilder types = new StringBuilder();
        messages.forEach(message -> types.append(message.type()));
        return types.toString();
    }

    /** Tags and SQLSTATEs of an answer up to ReadyForQuery, and its status: {@code INSERT 0 1 22012 E}. */
    public static String said(List<Message> answer) {
        StringBuilder said = new StringBuilder();
        for (Message message : answer) {
            switch (message.type()) {
                case 'C' -> said.append(message.strings().getFirst()).append(' ');
                case 'E' -> said.append(message.sqlState()).append(' ');
                default -> {}
            }
        }
        return said + answer.getLast().text();
    }

    /** The only message of a type among several. */
    public static Message only(List<Message> messages, char type) {
        List<Message> found =
                messages.stream().filter(message -> message.type() == type).toList();
        assertThat(found).as("messages of type %s in %s", type, messages).hasSize(1);
        return found.getFirst();
    }

    /** The columns of all rows among several messages as text, null for NULL. */
    public static List<List<@Nullable String>> rows(List<Message> messages) {
        return messages.stream()
                .filter(message -> message.type() == 'D')
                .map(Message::columns)
                .toList();
    }

    /** The columns of a DataRow as text. */
    public List<@Nullable String> columns() {
        ByteBuffer in = reader();
        List<@Nullable String> columns = new ArrayList<>();
        int count = in.getShort();
        for (int i = 0; i < count; i++) {
            int length = in.getInt();
            if (length < 0) {
                columns.add(null);
            } else {
                byte[] value = new byte[length];
                in.get(value);
                columns.add(new String(value, StandardCharsets.UTF_8));
            }
        }
        assertThat(in.remaining()).isZero();
        return columns;
    }

    /** The fields of an ErrorResponse or NoticeResponse. */
    public Map<Character, String> fields() {
        Map<Character, String> fields = new LinkedHashMap<>();
        ByteBuffer in = reader();
        for (byte code = in.get(); code != 0; code = in.get()) {
            fields.put((char) code, string(in));
        }
        assertThat(in.remaining()).isZero();
        return fields;
    }

    /** The SQLSTATE of an ErrorResponse or NoticeResponse. */
    public String sqlState() {
        return fields().getOrDefault('C', "");
    }

    /** The message of an ErrorResponse or NoticeResponse. */
    public String errorMessage() {
        return fields().getOrDefault('M', "");
    }

    /** The strings of which the body consists, such as the tag of a CommandComplete. */
    public List<String> strings() {
        ByteBuffer in = reader();
        List<String> strings = new ArrayList<>();
        while (in.hasRemaining()) {
            strings.add(string(in));
        }
        return strings;
    }

    /** The body as text. */
    public String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    /** A reader of the body. */
    public ByteBuffer reader() {
        return ByteBuffer.wrap(body);
    }

    static String string(ByteBuffer in) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte b = in.get(); b != 0; b = in.get()) {
            bytes.write(b);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return switch (type) {
            case 'E', 'N' -> type + fields().toString();
            case 'D' -> type + columns().toString();
            default -> type + "(" + body.length + " bytes)";
        };
    }
}
