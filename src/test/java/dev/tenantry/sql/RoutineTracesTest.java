package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RoutineTracesTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "UPDATE notes SET title = 'a' WHERE id = $1",
                "UPDATE notes n SET title = 'a'; INSERT INTO log VALUES (now())",
                "INSERT INTO notes VALUES (1) ON CONFLICT (id) DO UPDATE SET title = excluded.title",
                "BEGIN NEW.changed := now(); RETURN NEW; END",
                "BEGIN IF x THEN UPDATE t SET a = 1; ELSE DELETE FROM t; END IF; END",
                "BEGIN PERFORM set_config('app.tenant', t, true); END",
                "BEGIN SET LOCAL work_mem = '1MB'; END",
                "BEGIN PERFORM pg_advisory_xact_lock(1); END",
                "BEGIN PERFORM nextval('s'); RAISE NOTICE 'SET ROLE x; PREPARE y'; END",
                "-- PREPARE nothing\nSELECT current_setting('app.tenant')",
                "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1"
            })
    void knowsWhatLeavesNothing(String source) {
        assertThat(RoutineTraces.isTraceless("plpgsql", source)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT set_config('app.tenant', $1, false)",
                "SELECT set_config('app.tenant', $1, $2)",
                "SELECT pg_catalog.set_config('app.tenant', $1, f(true))",
                "SET ROLE other",
                "BEGIN SET search_path = other; END",
                "BEGIN IF x THEN SET search_path TO other; END IF; END",
                "BEGIN FOR i IN 1..2 LOOP SET a.b = 1; END LOOP; END",
                "BEGIN <<here>> SET a.b = 1; END",
                "BEGIN x := 1; RESET ALL; END",
                "BEGIN EXECUTE 'SET a.b = 1'; END",
                "BEGIN RETURN QUERY EXECUTE q; END",
                "CREATE TEMP TABLE t (id int)",
                "SELECT 1 AS id INTO TEMPORARY t",
                "CREATE TABLE pg_temp.t (id int)",
                "SELECT pg_advisory_lock(1)",
                "SELECT pg_try_advisory_lock_shared(1)",
                "SELECT setseed(0.5)",
                "SELECT ext.dblink_connect('c', '')",
                "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                "LISTEN x",
                "SELECT query_to_xml('SELECT set_config(1)', true, true, '')"
            })
    void suspectsWhatMayLeaveSomething(String source) {
        assertThat(RoutineTraces.isTraceless("sql", source)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"c", "plpython3u", "plperl", "internal"})
    void suspectsLanguagesThatItDoesNotRead(String language) {
        assertThat(RoutineTraces.isTraceless(language, "SELECT 1")).isFalse();
    }
}
