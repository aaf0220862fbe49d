package dev.tenantry.arch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The habits of this code that a machine can check. */
class TidyTest {

    private static final int LINES_OF_METHOD_MAX = 60;
    private static final int LINES_OF_FILE_MAX = 500;
    private static final int CHARACTERS_OF_LINE_MAX = 120;
    private static final int PARAMETERS_MAX = 6;
    private static final int TYPES_OF_PACKAGE_MAX = 15;

    private static final Pattern BAD_TYPE_NAME = Pattern.compile(".*(Util|Utils|Helper|Manager|Impl)|Abstract.*Base");
    private static final Pattern OPEN_END = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b(?!.*#\\d+)");
    private static final Pattern PRINTS = Pattern.compile("System\\.(out|err)\\b|\\.print" + "StackTrace\\(");
    private static final Pattern PUBLIC_TYPE =
            Pattern.compile("^public .*\\b(class|interface|record|enum)\\b", Pattern.MULTILINE);
    private static final Pattern STAR_IMPORT = Pattern.compile("^import .*\\*;");

    private static final List<SourceFile> SOURCES = SourceFile.under("src/main/java", "src/test/java");

    @Test
    void methodsFitAScreen() {
        assertThat(methods(method -> method.lines() > LINES_OF_METHOD_MAX))
                .as("methods longer than " + LINES_OF_METHOD_MAX + " lines")
                .isEmpty();
    }

    @Test
    void methodsTakeFewParameters() {
        assertThat(methods(method -> method.parameters() > PARAMETERS_MAX))
                .as("methods with more than " + PARAMETERS_MAX + " parameters")
                .isEmpty();
    }

    @Test
    void filesFitASitting() {
        assertThat(SOURCES.stream().filter(source -> source.lines().size() > LINES_OF_FILE_MAX))
                .as("files longer than " + LINES_OF_FILE_MAX + " lines")
                .isEmpty();
    }

    @Test
    void linesFitAWindow() {
        assertThat(SOURCES.stream()
                        .flatMap(source -> source.linesOfCode().stream()
                                .filter(line -> line.length() > CHARACTERS_OF_LINE_MAX)
                                .map(line -> source + " " + line.strip())))
                .as("lines longer than " + CHARACTERS_OF_LINE_MAX + " characters")
                .isEmpty();
    }

    @Test
    void typesSayWhatTheyAre() {
        assertThat(SOURCES.stream()
                        .flatMap(source -> source.typeNames().stream())
                        .filter(name -> BAD_TYPE_NAME.matcher(name).matches()))
                .as("type names that say nothing")
                .isEmpty();
    }

    @Test
    void nothingPrintsBesideTheLog() {
        assertThat(lines(line -> PRINTS.matcher(line).find())).isEmpty();
    }

    @Test
    void testsWaitForConditionsAndNotForTime() {
        assertThat(lines(SourceFile::isTest, line -> line.contains("Thread." + "sleep(")))
                .isEmpty();
    }

    @Test
    void noTestIsSwitchedOff() {
        assertThat(lines(SourceFile::isTest, line -> line.strip().startsWith("@" + "Disabled")))
                .isEmpty();
    }

    @Test
    void openEndsNameTheirIssue() {
        assertThat(lines(line -> OPEN_END.matcher(line).find())).isEmpty();
    }

    @Test
    void importsNameTheirTypes() {
        assertThat(lines(line -> STAR_IMPORT.matcher(line).find())).isEmpty();
    }

    @Test
    void everyPackageIsNullMarkedAndSaysWhatItIs() {
        Map<Path, List<SourceFile>> packages = mainPackages();
        List<String> silent = new ArrayList<>();
        packages.forEach((folder, sources) -> {
            boolean said = sources.stream()
                    .filter(SourceFile::isPackageInfo)
                    .anyMatch(info ->
                            info.text().startsWith("/** ") && info.text().contains("@NullMarked"));
            if (!said) {
                silent.add(folder.toString());
            }
        });
        assertThat(silent).isEmpty();
    }

    /** Of the types that others see: what is package-private is nobody's load but the package's own. */
    @Test
    void packagesShowFewTypes() {
        Map<Path, Long> large = new HashMap<>();
        mainPackages().forEach((folder, sources) -> {
            long shown = sources.stream()
                    .filter(source -> PUBLIC_TYPE.matcher(source.text()).find())
                    .count();
            if (shown > TYPES_OF_PACKAGE_MAX) {
                large.put(folder, shown);
            }
        });
        assertThat(large)
                .as("packages with more than " + TYPES_OF_PACKAGE_MAX + " public types")
                .isEmpty();
    }

    private static Map<Path, List<SourceFile>> mainPackages() {
        return SOURCES.stream()
                .filter(source -> !source.isTest())
                .collect(Collectors.groupingBy(source -> source.path().getParent()));
    }

    private static Stream<String> methods(Predicate<SourceFile.Method> wrong) {
        return SOURCES.stream()
                .flatMap(source -> source.methods().stream()
                        .filter(wrong)
                        .map(method -> source + ":" + method.line() + " " + method));
    }

    private static Stream<String> lines(Predicate<String> wrong) {
        return lines(source -> true, wrong);
    }

    private static Stream<String> lines(Predicate<SourceFile> where, Predicate<String> wrong) {
        return SOURCES.stream().filter(where).flatMap(source -> {
            List<String> lines = source.lines();
            return Stream.iterate(0, i -> i + 1)
                    .limit(lines.size())
                    .filter(i -> wrong.test(lines.get(i)))
                    .map(i -> source + ":" + (i + 1) + " " + lines.get(i).strip());
        });
    }
}
