package dev.tenantry.it.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.support.Cluster;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** pg_dump of one tenant through the proxy, and its way back in. It refuses servers that are newer than itself. */
class PgDumpIT {

    private static final Pattern VERSION = Pattern.compile("pg_dump \\(PostgreSQL\\) (\\d+)");

    private static final String TENANT = """
            create schema dumped;
            set search_path to dumped;
            create type mood as enum ('sad', 'ok');
            create domain percentage as int check (value between 0 and 100);
            create table note_categories (category_id bigserial primary key, category_name text not null unique);
            create table notes (note_id bigint generated always as identity primary key,
                                category_id bigint references note_categories (category_id) on delete cascade,
                                message text not null, mood mood default 'ok', done percentage,
                                words int generated always as (length(message)) stored);
            create index on notes (lower(message)) where done > 5;
            create view happy as select * from notes where mood = 'ok';
            create materialized view totals as select count(*) from notes;
            create function shout() returns trigger language plpgsql as
              $$ begin new.message := upper(new.message); return new; end $$;
            create trigger shout before insert on notes for each row execute function shout();
            create table parts (id int, day date) partition by range (day);
            create table parts_1 partition of parts for values from ('2024-01-01') to ('2025-01-01');
            alter table notes enable row level security;
            create policy all_of_it on notes using (true);
            comment on table notes is 'with ''quotes''; and -- more';
            insert into note_categories (category_name) values ('ideas'), ('größer');
            insert into notes (category_id, message, done) select 1, 'message ' || i, i from generate_series(1, 50) i;
            insert into parts values (1, '2024-05-05');
            refresh materialized view totals;
            """;

    @Test
    void dumpsOneTenantAndRestoresItElsewhere() throws Exception {
        String program = program();
        Cluster cluster = Cluster.shared();
        psql(cluster, TENANT);
        String dump = dump(program, cluster, "dumped");
        assertThat(dump).contains("CREATE TABLE dumped.notes").contains("CREATE POLICY all_of_it");
        try (Cluster other = Cluster.start(1)) {
            psql(other, dump);
            assertThat(dump(program, other, "dumped")).isEqualTo(dump);
            assertThat(psql(other, "select nodename is not null from citus_schemas where schema_name::text = 'dumped'"))
                    .contains("t");
            assertThat(psql(other, "insert into dumped.notes (message) values ('loud') returning note_id, message"))
                    .contains("51|LOUD");
        }
        psql(cluster, "drop schema dumped cascade");
        psql(cluster, dump);
        assertThat(dump(program, cluster, "dumped")).isEqualTo(dump);
        psql(cluster, "drop schema dumped cascade");
    }

    @Test
    void refusesToDumpWhatOneNodeHasNot() throws Exception {
        String program = program();
        Cluster cluster = Cluster.shared();
        psql(cluster, """
                set tenantry.node = 'worker1'; create schema dump_one; create table dump_one.t (one int);
                set tenantry.node = 'worker2'; create schema dump_two; create table dump_two.t (two int);
                create schema dump_three; create table dump_three.t (three int);
                create table public.dump_four (four int);
                """);
        for (List<String> refused : List.of(
                List.<String>of(),
                List.of("-s"),
                List.of("-n", "dump_one", "-n", "dump_two"),
                List.of("-n", "dump_one", "-n", "public"),
                List.of("-n", "public", "-n", "dump_one"),
                List.of("-n", "dump_*"),
                List.of("-N", "dump_one"),
                List.of("-N", "dump_two"),
                List.of("-N", "dump_two", "-N", "dump_three"),
                List.of("-N", "public"),
                List.of("-s", "-N", "dump_one"),
                List.of("-s", "-x", "-N", "dump_two"),
                List.of("-B", "-N", "dump_one"),
                List.of("-T", "dump_one.t"),
                List.of("--exclude-table-data", "dump_one.t"),
                List.of("-t", "dump_one.t", "-t", "dump_two.t"))) {
            List<String> words = new ArrayList<>(List.of(program, "-d", cluster.url()));
            words.addAll(refused);
            Programs.Ended outcome = Programs.run(words);
            assertThat(outcome.status()).as(refused.toString()).isNotZero();
            assertThat(outcome.output()).as(refused.toString()).contains("the dump would not be complete");
        }
        assertThat(Programs.run(List.of(program, "-n", "dump_two", "-n", "dump_three", "-d", cluster.url()))
                        .expectSuccess())
                .contains("two integer")
                .contains("three integer");
        assertThat(dump(program, cluster, "public")).contains("four integer");
        for (List<String> part : List.of(
                List.of("-n", "dump_two", "-N", "dump_three"),
                List.of("-n", "dump_two", "-T", "dump_two.none"),
                List.of("-t", "dump_two.t"))) {
            List<String> words = new ArrayList<>(List.of(program, "-d", cluster.url()));
            words.addAll(part);
            assertThat(Programs.run(words).expectSuccess())
                    .contains("two integer")
                    .doesNotContain("three integer");
        }
        psql(cluster, "drop schema dump_one, dump_two, dump_three cascade; drop table public.dump_four");
    }

    private static String program() throws Exception {
        String program = Programs.find("pg_dump").map(Path::toString).orElse("");
        Assumptions.assumeFalse(program.isEmpty(), "pg_dump is not installed");
        Matcher version =
                VERSION.matcher(Programs.run(List.of(program, "--version")).output());
        Assumptions.assumeTrue(
                version.find()
                        && Integer.parseInt(version.group(1))
                                >= Cluster.shared().coordinator().majorVersion(),
                "pg_dump is older than the servers");
        return program;
    }

    private static String dump(String program, Cluster cluster, String schema) throws Exception {
        return Programs.run(List.of(program, "-n", schema, "-d", cluster.url()))
                .expectSuccess()
                .replaceAll("(?m)^\\\\(un)?restrict .*\n", "");
    }

    private static String psql(Cluster cluster, String input) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Programs.find("psql").orElseThrow().toString(), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"));
        command.add(cluster.url());
        return Programs.run(Path.of("."), Map.of(), input, command).expectSuccess();
    }
}
