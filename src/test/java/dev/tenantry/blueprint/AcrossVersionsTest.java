package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AcrossVersionsTest {

    private static final String OLD = """
            ALTER TABLE "s"."t" OWNER TO "alice";
            CREATE TABLE "s"."t" (
                "a" integer NOT NULL,
                "b" integer
            )""";

    @Test
    void namesOfNotNullMakeNoDifference() {
        assertThat(AcrossVersions.match(
                        "table \"s\".\"t\"",
                        OLD,
                        OLD.replace("integer NOT NULL", "integer CONSTRAINT \"t \"\" n\" NOT NULL NO INHERIT")))
                .isTrue();
    }

    @Test
    void statementsAboutNotNullMakeNoDifference() {
        assertThat(AcrossVersions.match(
                        "table \"s\".\"t\"",
                        "ALTER TABLE ONLY \"s\".\"t\" ALTER COLUMN \"a\" SET NOT NULL;\n" + OLD,
                        "ALTER TABLE ONLY \"s\".\"t\" ADD CONSTRAINT \"n\" NOT NULL \"a\";\n" + OLD))
                .isTrue();
    }

    @Test
    void otherColumnsOwnersAndSettingsMakeOne() {
        assertThat(AcrossVersions.match("table \"s\".\"t\"", OLD, OLD.replace("\"b\" integer", "\"b\" bigint")))
                .isFalse();
        assertThat(AcrossVersions.match("table \"s\".\"t\"", OLD, OLD.replace("alice", "bob")))
                .isFalse();
        assertThat(AcrossVersions.match(
                        "table \"s\".\"t\"",
                        "ALTER TABLE ONLY \"s\".\"t\" ALTER COLUMN \"a\" SET STATISTICS 7;\n" + OLD,
                        OLD))
                .isFalse();
    }

    @Test
    void queriesAreNotCompared() {
        assertThat(AcrossVersions.match("view \"s\".\"v\"", "SELECT t.a FROM t", "SELECT a FROM t"))
                .isTrue();
        assertThat(AcrossVersions.match("function \"s\".\"f\"()", "x\nBEGIN ATOMIC\n t.a", "x\nBEGIN ATOMIC\n a"))
                .isTrue();
        assertThat(AcrossVersions.match("function \"s\".\"f\"()", "AS $$ 1 $$", "AS $$ 2 $$"))
                .isFalse();
    }
}
