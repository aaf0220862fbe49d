package dev.tenantry.it.parity;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Something a client says, and what it adds when it is asked for data. Lines that begin with a backslash are not SQL:
 *
 * <ul>
 *   <li>{@code \in TEXT} a line of COPY data; {@code \hex BYTES} the same as bytes;
 *   <li>{@code \fail REASON} ends COPY data with CopyFail;
 *   <li>{@code \bind VALUE} one parameter of the extended protocol; {@code \null} is NULL;
 *   <li>{@code \mask REGEX} what must differ from server to server, and why is said in the file;
 *   <li>{@code \alone} is not put into a batch with others;
 *   <li>{@code \empty} no SQL at all.
 * </ul>
 *
 * @param sql the text
 * @param copyData one piece of COPY data each
 * @param copyFailure why the client gives COPY up, or null
 * @param parameters bound in the extended protocol, null for NULL
 * @param masks what is not compared
 * @param alone whether it must not share a batch
 */
public record Entry(
        String sql,
        List<byte[]> copyData,
        @Nullable String copyFailure,
        List<@Nullable String> parameters,
        List<Pattern> masks,
        boolean alone) {

    static Entry parse(List<String> lines) {
        List<String> sql = new ArrayList<>();
        List<byte[]> data = new ArrayList<>();
        List<@Nullable String> parameters = new ArrayList<>();
        List<Pattern> masks = new ArrayList<>();
        String failure = null;
        boolean alone = false;
        for (String line : lines) {
            int blank = line.indexOf(' ');
            String word = blank < 0 ? line : line.substring(0, blank);
            String rest = blank < 0 ? "" : line.substring(blank + 1);
            switch (word) {
                case "\\in" -> data.add((rest + "\n").getBytes(StandardCharsets.UTF_8));
                case "\\hex" -> data.add(HexFormat.of().parseHex(rest.replace(" ", "")));
                case "\\fail" -> failure = rest;
                case "\\bind" -> parameters.add(rest);
                case "\\null" -> parameters.add(null);
                case "\\mask" -> masks.add(Pattern.compile(rest));
                case "\\alone" -> alone = true;
                case "\\empty" -> {
                    // no SQL
                }
                default -> sql.add(line);
            }
        }
        return new Entry(String.join("\n", sql), List.copyOf(data), failure, parameters, List.copyOf(masks), alone);
    }

    /** Whether it opens a block. */
    boolean begins() {
        return sql.regionMatches(true, 0, "BEGIN", 0, 5) || sql.regionMatches(true, 0, "START", 0, 5);
    }

    /** Whether the server will ask for data. */
    boolean copiesIn() {
        return !copyData.isEmpty() || copyFailure != null;
    }
}
