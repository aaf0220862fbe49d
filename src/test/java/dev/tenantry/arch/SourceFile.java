package dev.tenantry.arch;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** One Java source of ours, read by the compiler's own parser. */
record SourceFile(Path path, String text, CompilationUnitTree unit, DocTrees trees) {

    /** A method or constructor: where it is, how long it is without its Javadoc, how many parameters it takes. */
    record Method(String name, long line, long lines, int parameters) {}

    /** Every source under these folders, but what a generator wrote. */
    static List<SourceFile> under(String... folders) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<Path> paths = Stream.of(folders).flatMap(SourceFile::javaFiles).toList();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask)
                    compiler.getTask(null, files, null, List.of(), null, files.getJavaFileObjectsFromPaths(paths));
            DocTrees trees = DocTrees.instance(task);
            List<SourceFile> sources = new ArrayList<>();
            for (CompilationUnitTree unit : task.parse()) {
                Path path = Path.of(unit.getSourceFile().toUri());
                sources.add(new SourceFile(
                        Path.of("").toAbsolutePath().relativize(path), Files.readString(path), unit, trees));
            }
            return sources;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static Stream<Path> javaFiles(String folder) {
        try (Stream<Path> all = Files.walk(Path.of(folder))) {
            return all
                    .filter(path -> path.toString().endsWith(".java"))
                    .filter(path -> !path.toString().contains("/generated/"))
                    .toList()
                    .stream();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    boolean isTest() {
        return path.startsWith("src/test");
    }

    boolean isPackageInfo() {
        return path.endsWith("package-info.java");
    }

    List<String> lines() {
        return text.lines().toList();
    }

    /** The lines outside text blocks; those of a table of cases are as long as their data. */
    List<String> linesOfCode() {
        List<String> code = new ArrayList<>();
        boolean inBlock = false;
        for (String line : lines()) {
            boolean border = line.contains("\"\"\"");
            if (!inBlock || border) {
                code.add(line);
            }
            inBlock = inBlock != border;
        }
        return code;
    }

    /** The simple names of all types declared in it, nested ones too. */
    List<String> typeNames() {
        List<String> names = new ArrayList<>();
        new TreePathScanner<@Nullable Void, @Nullable Void>() {
            @Override
            public @Nullable Void visitClass(ClassTree type, @Nullable Void unused) {
                names.add(type.getSimpleName().toString());
                return super.visitClass(type, null);
            }
        }.scan(unit, null);
        return names;
    }

    /** Every method and constructor that is written out; those of records are marked by no parameters. */
    List<Method> methods() {
        List<Method> methods = new ArrayList<>();
        SourcePositions positions = trees.getSourcePositions();
        LineMap lineMap = unit.getLineMap();
        new TreePathScanner<@Nullable Void, @Nullable Void>() {
            @Override
            public @Nullable Void visitMethod(MethodTree method, @Nullable Void unused) {
                long begin = positions.getStartPosition(unit, method);
                long end = positions.getEndPosition(unit, method);
                if (begin >= 0 && end > begin) {
                    long first = lineMap.getLineNumber(begin);
                    boolean ofRecord = isRecordConstructor(getCurrentPath(), method);
                    methods.add(new Method(
                            method.getName().toString(),
                            first,
                            lineMap.getLineNumber(end) - first + 1,
                            ofRecord ? 0 : method.getParameters().size()));
                }
                return super.visitMethod(method, null);
            }
        }.scan(unit, null);
        return methods;
    }

    private static boolean isRecordConstructor(TreePath path, MethodTree method) {
        return path.getParentPath().getLeaf().getKind() == Tree.Kind.RECORD
                && method.getName().contentEquals("<init>");
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
