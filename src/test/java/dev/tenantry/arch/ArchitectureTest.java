package dev.tenantry.arch;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The architecture as rules: who may use whom and what, each with its reason. */
class ArchitectureTest {

    private static final String ROOT = "dev.tenantry.";
    /** What each package may use of ours; a package that is missing here fails {@link #everyPackageHasItsPlace}. */
    private static final Map<String, List<String>> MAY_USE = Map.ofEntries(
            Map.entry("wire", List.of()),
            Map.entry("sql", List.of()),
            Map.entry("catalog", List.of()),
            Map.entry("commit", List.of()),
            Map.entry("scram", List.of()),
            Map.entry("activity", List.of()),
            Map.entry("routing", List.of("sql", "catalog", "commit")),
            Map.entry("embedded", List.of("sql", "scram")),
            Map.entry("store", List.of("store.generated", "activity", "catalog", "commit", "sql", "scram")),
            Map.entry("store.generated", List.of()),
            Map.entry("store.rebalance", List.of("store")),
            Map.entry("store.move", List.of("sql", "store")),
            Map.entry("blueprint", List.of("sql", "store")),
            Map.entry("client", List.of("wire", "proxy.auth", "proxy.net")),
            Map.entry("check", List.of("client")),
            Map.entry("command", List.of("sql", "client")),
            Map.entry("proxy.net", List.of("wire")),
            Map.entry("proxy.auth", List.of("wire", "scram")),
            Map.entry("proxy.backend", List.of("wire", "catalog", "scram", "proxy.net", "proxy.auth")),
            Map.entry("proxy.pool", List.of("wire", "sql", "catalog", "proxy.net", "proxy.auth", "proxy.backend")),
            Map.entry(
                    "proxy.session",
                    List.of("wire", "sql", "catalog", "routing", "proxy.auth", "proxy.backend", "proxy.pool")),
            Map.entry(
                    "proxy.dispatch",
                    List.of("wire", "sql", "catalog", "routing", "proxy.backend", "proxy.pool", "proxy.session")),
            Map.entry(
                    "proxy.cluster",
                    List.of(
                            "wire",
                            "activity",
                            "sql",
                            "catalog",
                            "routing",
                            "commit",
                            "scram",
                            "proxy.net",
                            "proxy.backend",
                            "proxy.session",
                            "proxy.dispatch")),
            Map.entry("proxy.answer", List.of("wire", "activity", "routing")),
            Map.entry(
                    "proxy.query",
                    List.of(
                            "wire",
                            "activity",
                            "proxy.answer",
                            "sql",
                            "catalog",
                            "routing",
                            "proxy.net",
                            "proxy.backend",
                            "proxy.session",
                            "proxy.dispatch",
                            "proxy.cluster")),
            Map.entry(
                    "proxy.server",
                    List.of(
                            "wire",
                            "activity",
                            "sql",
                            "catalog",
                            "routing",
                            "commit",
                            "scram",
                            "proxy.net",
                            "proxy.auth",
                            "proxy.backend",
                            "proxy.pool",
                            "proxy.session",
                            "proxy.dispatch",
                            "proxy.cluster",
                            "proxy.query")),
            Map.entry(
                    "control",
                    List.of(
                            "catalog",
                            "commit",
                            "sql",
                            "scram",
                            "store",
                            "store.move",
                            "routing",
                            "activity",
                            "control.background",
                            "control.cancel",
                            "control.node",
                            "control.traces",
                            "control.deadlock",
                            "control.move",
                            "control.rebalance",
                            "control.recovery")),
            Map.entry("control.background", List.of("store")),
            Map.entry(
                    "control.move",
                    List.of(
                            "blueprint",
                            "catalog",
                            "commit",
                            "store",
                            "store.move",
                            "control.background",
                            "control.node",
                            "control.node.copy")),
            Map.entry(
                    "control.rebalance",
                    List.of("store", "store.rebalance", "control.background", "control.rebalance.plan")),
            Map.entry("control.rebalance.plan", List.of()),
            Map.entry("control.node.copy", List.of("blueprint", "scram", "sql", "store")),
            Map.entry("control.cancel", List.of("activity", "store", "control.background")),
            Map.entry(
                    "control.deadlock", List.of("activity", "catalog", "store", "control.background", "control.node")),
            Map.entry("control.traces", List.of("catalog", "store", "control.background", "control.node")),
            Map.entry("control.node", List.of("catalog", "sql", "scram", "store")),
            Map.entry(
                    "control.recovery",
                    List.of("activity", "catalog", "commit", "sql", "store", "control.background", "control.node")),
            Map.entry(
                    "control.api",
                    List.of(
                            "activity",
                            "catalog",
                            "sql",
                            "scram",
                            "routing",
                            "store",
                            "store.move",
                            "store.rebalance",
                            "control.rebalance",
                            "control.rebalance.plan",
                            "control.node",
                            "control.recovery")));

    private static final String[] PURE =
            packages("wire", "sql", "catalog", "routing", "commit", "scram", "control.rebalance.plan");

    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.tenantry");

    @TestFactory
    Stream<DynamicTest> packagesUseOnlyWhatTheyMay() {
        return MAY_USE.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey() + " uses " + entry.getValue(),
                        () -> noClasses()
                                .that(resideInAnyPackage(folder(entry.getKey())))
                                .should()
                                .dependOnClassesThat(resideInAPackage("dev.tenantry..")
                                        .and(not(resideInAnyPackage(allowed(entry.getKey(), entry.getValue())))))
                                .because("the planes and their layers meet only where the table of packages says so")
                                .allowEmptyShould(true)
                                .check(OURS)));
    }

    @Test
    void everyPackageHasItsPlace() {
        List<String> known = new ArrayList<>(MAY_USE.keySet());
        assertThat(OURS.stream()
                        .map(JavaClass::getPackageName)
                        .filter(name -> !name.equals("dev.tenantry"))
                        .map(name -> name.substring(ROOT.length()))
                        .filter(name -> known.stream().noneMatch(it -> name.equals(it) || name.startsWith(it + ".")))
                        .distinct())
                .as("packages without a line in this test's table")
                .isEmpty();
    }

    @Test
    void purePackagesHaveNoThreadsSocketsDatabasesOrLogs() {
        noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                                "java.net..",
                                "java.nio.channels..",
                                "java.nio.file..",
                                "java.sql..",
                                "javax.sql..",
                                "java.util.logging..",
                                "java.util.concurrent.locks..",
                                "org.jboss..",
                                "jakarta..",
                                "io.vertx..",
                                "io.quarkus..",
                                "io.netty.channel..")
                        .or(JavaClass.Predicates.assignableTo(Thread.class))
                        .or(JavaClass.Predicates.assignableTo(Executor.class))
                        .or(JavaClass.Predicates.assignableTo(Future.class)))
                .because("what decides must be testable with values alone, and mean the same whenever it runs")
                .check(OURS);
    }

    @Test
    void purePackagesHaveNoClock() {
        noClasses()
                .that()
                .resideInAnyPackage(PURE)
                .should()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(LocalDateTime.class, "now")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Clock.class)
                .because("time comes in as a value")
                .check(OURS);
    }

    @Test
    void dataPathKnowsNeitherTheControlPlaneNorItsLibraries() {
        noClasses()
                .that()
                .resideInAPackage(ROOT + "proxy..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        ROOT + "store..",
                        ROOT + "control..",
                        ROOT + "operator..",
                        ROOT + "embedded..",
                        "java.sql..",
                        "org.jooq..",
                        "jakarta.ws.rs..",
                        "jakarta.enterprise..",
                        "jakarta.inject..",
                        "io.vertx.pgclient..",
                        "io.vertx.sqlclient..",
                        "io.smallrye.mutiny..")
                .because("the planes meet only in the catalog, and an event loop never blocks")
                .check(OURS);
    }

    @Test
    void controlPlaneKnowsNoneOfTheDataPath() {
        noClasses()
                .that()
                .resideInAnyPackage(ROOT + "control..", ROOT + "store..", ROOT + "operator..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT + "proxy..", "io.netty..")
                .because("there is no call between the planes to lose, retry or version")
                .check(OURS);
    }

    @Test
    void onlyTheStoreWritesTypedSql() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + "store..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.jooq..", "org.flywaydb..")
                .because("the catalog's tables are one package's own business")
                .check(OURS);
    }

    @Test
    void onlyStoreBlueprintAndNodeAdministrationTalkToServersByClient() {
        noClasses()
                .that()
                .resideOutsideOfPackages(ROOT + "store..", ROOT + "blueprint..", ROOT + "control.node..")
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage("io.vertx.pgclient..", "io.vertx.sqlclient..", "java.sql..", "javax.sql..")
                                .and(not(JavaClass.Predicates.assignableTo(Throwable.class))))
                .because("SQL to servers goes through one place, where names are quoted and time is bounded")
                .check(OURS);
    }

    @Test
    void injectionStaysAtTheEdges() {
        noClasses()
                .that()
                .resideOutsideOfPackages("dev.tenantry", ROOT + "control.api..", ROOT + "operator..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("jakarta.enterprise..", "jakarta.inject..", "io.quarkus..")
                .because("everything else is made with new, so that a test can make it too")
                .check(OURS);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.tenantry.(**)")
                .should()
                .beFreeOfCycles()
                .ignoreDependency(
                        resideInAPackage(ROOT + "store.generated.."), resideInAPackage(ROOT + "store.generated.."))
                .because("a cycle is one package with two names")
                .check(OURS);
    }

    @Test
    void nothingUsesTheAppPackage() {
        classes()
                .that()
                .resideInAPackage("dev.tenantry")
                .should()
                .onlyHaveDependentClassesThat()
                .resideInAPackage("dev.tenantry")
                .because("it is the only code that sees both planes")
                .check(OURS);
    }

    private static String[] packages(String... names) {
        return Stream.of(names).map(ArchitectureTest::folder).toArray(String[]::new);
    }

    /** A package and those below it, unless some of those have lines of their own. */
    private static String folder(String name) {
        boolean divided = MAY_USE.keySet().stream().anyMatch(other -> other.startsWith(name + "."));
        return ROOT + name + (divided ? "" : "..");
    }

    private static String[] allowed(String self, List<String> others) {
        return packages(Stream.concat(Stream.of(self), others.stream()).toArray(String[]::new));
    }
}
