package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.sql.StatementAction.None;
import dev.tenantry.sql.StatementAction.SharedInBlock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DoBodyTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "begin create role joe; end # CREATE ROLE",
                "declare a int; begin if not exists (select 1) then create user joe login; end if; end # CREATE USER",
                "begin if a then null; else alter role joe nologin; end if; end # ALTER ROLE",
                "begin for r in select 1 loop drop group joe; end loop; end # DROP GROUP",
                "begin perform 1; /* ; create role no */ grant joe to jim; end # GRANT",
                "begin execute 'create role joe'; end # CREATE ROLE",
                "begin execute format('drop role %I', x); end # DROP ROLE",
                "begin execute 'create role ' || quote_ident(x); end # CREATE ROLE",
                "begin reassign owned by joe to jim; end # REASSIGN OWNED",
                "begin alter default privileges grant select on tables to joe; end # ALTER DEFAULT",
                "begin alter database d set work_mem = '1MB'; end # ALTER DATABASE"
            })
    void findsWhatEveryNodeWouldHaveToDo(String body, String words) {
        assertThat(action("DO $$ " + body + " $$")).isEqualTo(new SharedInBlock(words));
        assertThat(action("do language plpgsql '" + body.replace("'", "''") + "'"))
                .isEqualTo(new SharedInBlock(words));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DO $$ begin create table role (a int); end $$",
                "DO $$ begin raise notice 'create role joe; create role jim'; end $$",
                "DO $$ begin /* create role joe; */ insert into t values ('; create role joe'); end $$",
                "DO $$ begin grant select on t to joe; end $$",
                "DO $$ begin create extension if not exists hstore; end $$",
                "DO $$ begin create user mapping for joe server s; end $$",
                "DO $$ begin execute 'create table t ()'; end $$",
                "DO $$ begin create role joe; end $$ language plpython3u",
                "DO language 'plpython3u' 'create role joe'",
                "DO",
                "DO $$",
                "DO ''"
            })
    void takesNothingElseForIt(String sql) {
        assertThat(action(sql)).isInstanceOf(None.class);
    }

    private static StatementAction action(String sql) {
        return SqlScannerTest.scan(sql).getFirst().action();
    }
}
