package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** psql, pg_dump and pgbench as people use them. */
class PsqlIT {

    private static final String TABLES = """
            create table note_categories (
               category_id bigserial primary key,
               category_name text not null);
            create table notes (
               note_id bigserial primary key,
               category_id bigint references note_categories (category_id),
               message text not null);
            """;

    /** The example of the announcement of schema-based sharding, from its first line to its last. */
    private static final String EXAMPLE = """
            set citus.enable_schema_based_sharding to on;
            create schema tenant1;
            create schema tenant2;
            select * from citus_schemas;
            set search_path to tenant1;
            %1$s
            set search_path to tenant2;
            %1$s
            select table_name, shardid, colocation_id, nodename, nodeport, shard_size
              from citus_shards where citus_table_type = 'schema';
            set search_path to tenant1;
            insert into note_categories (category_name) values ('ideas');
            insert into notes (category_id, message) values (1, 'first');
            select * from notes join note_categories using (category_id);
            set search_path to tenant2;
            select * from notes join note_categories using (category_id);
            select * from tenant1.notes join tenant1.note_categories using (category_id);
            select * from tenant2.notes join tenant2.note_categories using (category_id);
            """.formatted(TABLES);

    private static Cluster cluster;
    private static String output;

    @BeforeAll
    static void runTheExample() throws Exception {
        cluster = Cluster.shared();
        output = psql(EXAMPLE);
    }

    @AfterAll
    static void dropTheTenants() throws Exception {
        psql("drop schema if exists tenant1, tenant2, psql_bench, psql_tab cascade");
    }

    @Test
    void showsSchemasAsTheAnnouncementDoes() {
        assertThat(masked(output)).containsSubsequence("schema_name|colocation_id", "tenant1|#", "tenant2|#");
    }

    /** Nodes number their objects alike, so that what is asked by oid on the wrong one is answered with another's. */
    @Test
    void describesObjectsOfTenantsOnTwoNodesInTurns() throws Exception {
        psql("""
                set tenantry.node = 'worker1'; create schema psql_one;
                set tenantry.node = 'worker2'; create schema psql_two;
                """ + describable("one") + describable("two"));
        assertThat(psql("""
                        \\d psql_one.of_one
                        set search_path = psql_two;
                        \\d of_two
                        \\sf psql_one.f_one
                        \\sf f_two
                        \\sv psql_one.v_one
                        \\d+ psql_two.v_two
                        set search_path = public;
                        \\sf psql_two.f_two
                        \\d+ psql_one.parted_one
                        select mood from psql_two.of_two \\gdesc
                        select mood from psql_one.of_one \\gdesc
                        """))
                .containsSubsequence("one_a|", "two_a|", "'one'", "'two'", "one_a", "two_a", "'two'")
                .contains("Partition key: RANGE (id)")
                .containsSubsequence("mood|psql_two.mood_two", "mood|psql_one.mood_one")
                .doesNotContain("did not find", "Did not find", "???");
        psql("drop schema psql_one, psql_two cascade");
    }

    private static String describable(String name) {
        return """
                create type psql_%1$s.mood_%1$s as enum ('%1$s');
                create table psql_%1$s.of_%1$s (%1$s_a int, mood psql_%1$s.mood_%1$s);
                create view psql_%1$s.v_%1$s as select %1$s_a from psql_%1$s.of_%1$s;
                create function psql_%1$s.f_%1$s() returns text language sql as $$ select '%1$s' $$;
                create table psql_%1$s.parted_%1$s (id int) partition by range (id);
                """.formatted(name);
    }

    @Test
    void showsShardsAsTheAnnouncementDoes() {
        assertThat(masked(output))
                .contains("table_name|shardid|colocation_id|nodename|nodeport|shard_size")
                .contains("tenant1.note_categories|#|#|#|#|#")
                .contains("tenant1.notes|#|#|#|#|#")
                .contains("tenant2.note_categories|#|#|#|#|#")
                .contains("tenant2.notes|#|#|#|#|#");
    }

    @Test
    void joinsInsideTenantsByPathAndByName() {
        List<String> headers = output.lines()
                .filter(line -> line.equals("category_id|note_id|message|category_name"))
                .toList();
        List<String> rows =
                output.lines().filter(line -> line.equals("1|1|first|ideas")).toList();
        assertThat(headers).hasSize(4);
        assertThat(rows).hasSize(2);
        assertThat(output).doesNotContain("ERROR").doesNotContain("WARNING");
    }

    @Test
    void describesRealTable() throws Exception {
        assertThat(psql("\\d tenant1.notes"))
                .contains("Table \"tenant1.notes\"")
                .contains("nextval('tenant1.notes_note_id_seq'::regclass)")
                .contains("\"notes_pkey\" PRIMARY KEY, btree (note_id)")
                .contains("FOREIGN KEY (category_id) REFERENCES tenant1.note_categories(category_id)");
    }

    @Test
    void listsTablesOfOneTenant() throws Exception {
        assertThat(psql("\\dt tenant1.*").lines().filter(line -> line.startsWith("tenant1|")))
                .containsExactly("tenant1|note_categories|table|tenantry", "tenant1|notes|table|tenantry");
    }

    @Test
    void listsSchemas() throws Exception {
        assertThat(psql("\\dn")).contains("tenant1|tenantry").contains("tenant2|tenantry");
    }

    @Test
    void listsWhatIsInTheSearchPath() throws Exception {
        String path = "set search_path to tenant2;\n";
        assertThat(psql(path + "\\di")).contains("tenant2|notes_pkey|index|tenantry|notes");
        assertThat(psql(path + "\\d")).contains("tenant2|notes|table|tenantry");
        assertThat(psql(path + "create function f() returns int language sql as 'select 1';\n\\df"))
                .contains("tenant2|f|integer||func");
        assertThat(psql(path + "\\ds")).contains("tenant2|notes_note_id_seq|sequence|tenantry");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\du", "\\dx", "\\db", "\\dn+", "\\dT", "\\do", "\\dp tenant1.*", "\\d+ tenant1.*"})
    void answersWithoutError(String command) throws Exception {
        assertThat(psql(command)).doesNotContain("ERROR").isNotBlank();
    }

    /** A psql older than the server does not understand every answer of it; nor does it here. */
    @Test
    void listsDatabasesAsTheServerDoes() throws Exception {
        String direct = run(List.of(), "\\l", cluster.coordinator().url()).output();
        assertThat(run(List.of(), "\\l", cluster.url()).output()).isEqualTo(direct);
    }

    @Test
    void completesNamesOfTenantsAsTheyAreTyped() throws Exception {
        psql("create schema psql_tab; create table psql_tab.notebooks (note_number int)");
        try (TypedPsql typed = TypedPsql.start(cluster.url())) {
            typed.type("SELECT * FROM psql_tab.no\t");
            typed.awaitScreen("psql_tab.notebooks ");
            typed.dropLine();
            typed.type("SELECT * FROM psql_t\t");
            typed.awaitScreen("psql_tab.");
            typed.dropLine();
            typed.type("SET search_path TO psql_t\t");
            typed.awaitScreen("psql_tab ");
            typed.dropLine();
            typed.run("SET search_path TO psql_tab;");
            typed.type("SELECT * FROM noteb\t");
            typed.awaitScreen("notebooks ");
            typed.dropLine();
            typed.type("UPDATE notebooks SET note_\t");
            typed.awaitScreen("note_number ");
            typed.dropLine();
        }
    }

    @Test
    void copiesFromAndToTheClientsSide() throws Exception {
        assertThat(psql("""
                        set search_path to tenant1;
                        create table copied (a int, b text);
                        \\copy copied from stdin
                        1\tone
                        2\ttwo
                        \\.
                        copy copied to stdout;
                        drop table copied;
                        """)).contains("COPY 2").contains("1\tone\n2\ttwo\n");
    }

    @Test
    void stopsAtErrorsWithTheirPosition() throws Exception {
        Programs.Ended ended =
                run(List.of("-v", "ON_ERROR_STOP=1"), "set search_path to tenant1;\nselect nope from notes;");
        assertThat(ended.status()).isEqualTo(3);
        assertThat(ended.output())
                .contains("column \"nope\" does not exist")
                .contains("LINE 1: select nope from notes;");
    }

    @Test
    void benchmarksOneTenant() throws Exception {
        psql("create schema psql_bench");
        Map<String, String> path = Map.of("PGOPTIONS", "-c search_path=psql_bench");
        String pgbench = Programs.find("pgbench").orElseThrow().toString();
        Programs.run(Path.of("."), path, "", List.of(pgbench, "-i", "-q", "-s", "1", cluster.url()))
                .expectSuccess();
        for (String mode : List.of("simple", "extended", "prepared")) {
            assertThat(Programs.run(
                                    Path.of("."),
                                    path,
                                    "",
                                    List.of(pgbench, "-n", "-M", mode, "-c", "4", "-t", "50", cluster.url()))
                            .expectSuccess())
                    .contains("number of transactions actually processed: 200/200");
        }
    }

    private static String psql(String input) throws Exception {
        return run(List.of(), input).expectSuccess();
    }

    private static Programs.Ended run(List<String> options, String input) throws Exception {
        return run(options, input, cluster.url());
    }

    private static Programs.Ended run(List<String> options, String input, String url) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Programs.find("psql").orElseThrow().toString(), "-X", "-A", "-P", "footer=off"));
        command.addAll(options);
        command.add(url);
        return Programs.run(Path.of("."), Map.of("PGCONNECT_TIMEOUT", "20"), input, command);
    }

    /** Ids, names of hosts, ports and sizes out of the way. */
    private static String masked(String text) {
        return text.replaceAll("\\|[0-9][0-9.]*( bytes| kB)?(?=\\||\\n)", "|#")
                .replaceAll("\\|(localhost)(?=\\|)", "|#");
    }
}
