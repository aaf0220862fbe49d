package dev.tenantry.arch;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.TreePath;
import dev.tenantry.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Writes docs/configuration.md from the {@code @ConfigMapping} interfaces and their Javadoc. */
final class ConfigurationReference {

    private static final String HEAD = """
            # Configuration

            <!-- Generated from the @ConfigMapping interfaces: mvn test -Dtest=GoldenTest -Dgolden=update -->

            A setting comes from the command line (`./tenantry help`), else from an environment variable, else from a
            file `config/application.properties` in the working folder, else it has its default. What can't be a value
            of its setting, and a key that is none, ends the start with a line that says so; an environment variable
            `TENANTRY_...` that is no setting is only told of. Quarkus's own settings work too, for example `QUARKUS_HTTP_PORT` and
            `QUARKUS_LOG_CONSOLE_JSON_ENABLED=true`.

            | key | environment variable | type | default | meaning |
            | --- | --- | --- | --- | --- |
            """;

    private static final Pattern TAG = Pattern.compile("\\{@(?:code|link|literal) #?([^}]*?)(?:\\(\\))?}");
    private static final Pattern HUMP = Pattern.compile("(?<=[a-z0-9])(?=[A-Z])");

    private static final Map<String, Setting> SETTINGS =
            Setting.all().stream().collect(Collectors.toMap(Setting::key, Function.identity()));

    private final List<SourceFile> sources;

    ConfigurationReference(List<SourceFile> sources) {
        this.sources = sources;
    }

    String text() {
        List<String> rows = new ArrayList<>();
        for (SourceFile source : sources) {
            for (Tree tree : source.unit().getTypeDecls()) {
                if (tree instanceof ClassTree type) {
                    annotation(type.getModifiers().getAnnotations(), "ConfigMapping")
                            .ifPresent(mapping -> rows.addAll(rows(source, type, argument(mapping, "prefix"))));
                }
            }
        }
        rows.sort(null);
        return HEAD + String.join("", rows);
    }

    private List<String> rows(SourceFile source, ClassTree type, String prefix) {
        List<String> rows = new ArrayList<>();
        for (Tree member : type.getMembers()) {
            if (member instanceof MethodTree method) {
                String key = prefix + "." + keyOf(method);
                Optional<ClassTree> group = nested(type, String.valueOf(method.getReturnType()));
                if (group.isPresent() && group.get().getKind() == Tree.Kind.INTERFACE) {
                    rows.addAll(rows(source, group.get(), key));
                } else {
                    rows.add(row(source, method, key));
                }
            }
        }
        return rows;
    }

    private static String row(SourceFile source, MethodTree method, String key) {
        List<? extends AnnotationTree> annotations = method.getModifiers().getAnnotations();
        String fallback = annotation(annotations, "WithDefault")
                .map(it -> "`" + argument(it, "value") + "`")
                .orElse("");
        Setting setting = Objects.requireNonNull(SETTINGS.get(key), key);
        return "| `%s` | `%s` | %s | %s | %s |%n"
                .formatted(
                        key,
                        setting.variable(),
                        setting.values().replaceFirst("^a ", ""),
                        fallback,
                        meaning(source, method));
    }

    private static String meaning(SourceFile source, MethodTree method) {
        TreePath path = TreePath.getPath(source.unit(), method);
        String javadoc = source.trees().getDocComment(path);
        if (javadoc == null) {
            throw new AssertionError(source + ": " + method.getName() + " has no Javadoc");
        }
        return TAG.matcher(javadoc.strip().replaceAll("\\s+", " "))
                .replaceAll("`$1`")
                .replace("|", "\\|");
    }

    private static String keyOf(MethodTree method) {
        return HUMP.matcher(method.getName()).replaceAll("-").toLowerCase(Locale.ROOT);
    }

    private static Optional<ClassTree> nested(ClassTree type, String name) {
        return type.getMembers().stream()
                .filter(ClassTree.class::isInstance)
                .map(ClassTree.class::cast)
                .filter(it -> it.getSimpleName().contentEquals(name))
                .findFirst();
    }

    private static Optional<? extends AnnotationTree> annotation(List<? extends AnnotationTree> all, String name) {
        return all.stream()
                .filter(it -> it.getAnnotationType().toString().equals(name))
                .findFirst();
    }

    private static String argument(AnnotationTree annotation, String name) {
        for (ExpressionTree argument : annotation.getArguments()) {
            if (argument instanceof AssignmentTree assignment
                    && assignment.getVariable().toString().equals(name)) {
                return value(assignment.getExpression());
            }
            if (!(argument instanceof AssignmentTree) && name.equals("value")) {
                return value(argument);
            }
        }
        throw new AssertionError(annotation + " has no " + name);
    }

    private static String value(ExpressionTree expression) {
        return expression instanceof LiteralTree literal
                ? String.valueOf(literal.getValue())
                : expression.toString().replace("_", "");
    }
}
