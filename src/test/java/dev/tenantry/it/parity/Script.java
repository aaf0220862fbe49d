package dev.tenantry.it.parity;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What one session says: a file of the corpus.
 *
 * @param name the file's name
 * @param entries what is said, in order
 */
public record Script(String name, List<Entry> entries) {

    private static final Path FOLDER = Path.of("src/test/resources/dev/tenantry/it/parity");

    /** All of the corpus, by name. */
    public static List<Script> all() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(file -> file.toString().endsWith(".sql"))
                    .sorted()
                    .map(Script::read)
                    .toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static Script read(Path file) {
        try {
            return parse(file.getFileName().toString(), Files.readString(file, StandardCharsets.UTF_8));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** Entries are divided by empty lines. */
    static Script parse(String name, String text) {
        List<Entry> entries = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (String line : (text + "\n\n").split("\n", -1)) {
            if (!line.isEmpty()) {
                lines.add(line);
            } else if (!lines.isEmpty()) {
                entries.add(Entry.parse(lines));
                lines.clear();
            }
        }
        return new Script(name, List.copyOf(entries));
    }

    @Override
    public String toString() {
        return name;
    }
}
