package dev.tenantry.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Rows of an answer by the names of their columns. */
public final class ShownRows {

    private static final int FIELD_LENGTH = 18;

    private ShownRows() {}

    /** What a simple query answers that must not fail; NULL is the word. */
    public static List<Map<String, String>> of(RawClient client, String sql) {
        List<Message> answer = client.run(sql);
        assertThat(answer).as(sql).noneMatch(message -> message.type() == 'E');
        List<String> columns = columns(answer);
        List<Map<String, String>> rows = new ArrayList<>();
        for (List<@Nullable String> values : Message.rows(answer)) {
            Map<String, String> row = new LinkedHashMap<>();
            for (int i = 0; i < values.size(); i++) {
                row.put(columns.get(i), Objects.requireNonNullElse(values.get(i), "NULL"));
            }
            rows.add(row);
        }
        return rows;
    }

    /** The names that the first RowDescription of an answer gives. */
    public static List<String> columns(List<Message> answer) {
        ByteBuffer in = answer.stream()
                .filter(message -> message.type() == 'T')
                .findFirst()
                .orElseThrow()
                .reader();
        List<String> names = new ArrayList<>();
        for (int left = in.getShort(); left > 0; left--) {
            names.add(Message.string(in));
            in.position(in.position() + FIELD_LENGTH);
        }
        return names;
    }
}
