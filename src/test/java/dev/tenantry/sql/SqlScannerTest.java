package dev.tenantry.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.sql.StatementAction.ShowActivity;
import dev.tenantry.sql.StatementAction.ShowActivity.Subject;
import dev.tenantry.sql.StatementFacts.CatalogUse;
import dev.tenantry.sql.StatementFacts.SetConfigCall;
import dev.tenantry.sql.StatementFacts.SetConfigCall.Argument;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqlScannerTest {

    static List<StatementFacts> scan(String sql) {
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        return new SqlScanner().scan(bytes, 0, bytes.length, LexicalRules.DEFAULT);
    }

    private static StatementFacts one(String sql) {
        List<StatementFacts> all = scan(sql);
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select 1",
                "select * from t where f(x) = lower('a')",
                "insert into t values (nextval('q'))",
                "select set_config('app.tenant', 'x', true)",
                "select set_config('app.tenant', 'x', false)",
                "select set_config('app.tenant', $1, false)",
                "select set_config('a.b', $1::text, false), pg_catalog.set_config('a', cast('x' as varchar), 'f') as x",
                "select set_config('app.tenant', lower('x'), true) from t",
                "select set_config('a', 'b', false), current_schemas(false), current_setting('a', true) x",
                "set search_path to a",
                "begin",
                "commit",
                "copy t from stdin",
                "call p()",
                "prepare p as select 1",
                "select pg_advisory_xact_lock(1)",
                "select pg_advisory_unlock(1)"
            })
    void knowsWhatLeavesNoTrace(String sql) {
        assertThat(one(sql).traces().possible()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select pg_advisory_lock(1)",
                "select pg_catalog.pg_try_advisory_lock(1)",
                "select set_config('a.b', lower('x'), false)",
                "select set_config('a.b', $1::int::text, false)",
                "select set_config('a.b', 'x', false), generate_series(1, 0)",
                "select current_setting(set_config('a.b', 'x', false))",
                "select set_config('a', 'b', false), set_config('a.b', 'x', $1)",
                "select * from set_config('app.tenant', 'x', false)",
                "select set_config('a.b', 'x', false) where false",
                "select set_config('a.b', 'x', false) limit 0",
                "select case when a then set_config('a.b', 'x', false) end from t",
                "prepare p as select set_config('a.b', 'x', false) from t",
                "prepare p(int) as select set_config('a.b', $1::text, false)",
                "create view v as select set_config('a.b', 'x', false)",
                "update pg_settings set setting = 'b' where name = 'search_path'",
                "update only pg_catalog.pg_settings set setting = 'b'",
                "select set_config(name, 'x', false) from t",
                "select set_config('a.b', 'x', $1)",
                "select 1 into temp t",
                "create temp table t (id int)",
                "insert into pg_temp.t values (1)",
                "listen x",
                "declare c cursor with hold for select 1",
                "do 'begin end'",
                "explain analyze select f()",
                "prepare p as select pg_advisory_lock(1)",
                "select query_to_xml('select 1', true, true, '')"
            })
    void suspectsWhatMayLeaveTraces(String sql) {
        assertThat(one(sql).traces().possible()).isTrue();
    }

    @Test
    void readsCallsOfSetConfigThatAreCertain() {
        assertThat(one("PREPARE p(text, text) AS SELECT set_config('A.b', $2, false), set_config('c', 'd', true) x")
                        .settingCalls())
                .containsExactly(
                        new SetConfigCall("a.b", new Argument.Parameter(2), false),
                        new SetConfigCall("c", new Argument.Literal("d"), true));
        StatementFacts second =
                scan("select 1; select set_config('a', null, 'no')").getLast();
        assertThat(second.settingCalls()).containsExactly(new SetConfigCall("a", new Argument.Null(), false));
        StatementFacts unsure = one("select set_config('A.b', 'x', false), set_config(c, 'd', true) from t");
        assertThat(unsure.settingCalls()).isEmpty();
        assertThat(unsure.traces().settings()).containsExactly("a.b", StatementFacts.Traces.ANY_SETTING);
    }

    @Test
    void seesWhoAsksForSequencesAndSeeds() {
        assertThat(one("select currval('q')").traces())
                .isEqualTo(new StatementFacts.Traces(false, false, true, true, false, List.of()));
        assertThat(one("insert into t values (1)").traces().usesSequences()).isTrue();
        assertThat(one("select lower(a) from t").traces().usesSequences()).isFalse();
        assertThat(one("insert into t values (lastval())").traces().readsSequences())
                .isTrue();
        assertThat(one("select setseed(0.1)").traces().seeds()).isTrue();
        assertThat(one("set seed to 0.1").traces().seeds()).isTrue();
    }

    @Test
    void findsSchemasOfRelations() {
        assertThat(one("select * from a.b join c.d on true").schemas()).containsExactly("a", "c");
    }

    @Test
    void takesTwoPartColumnsForColumns() {
        StatementFacts facts = one("select tenant1.x from notes as tenant1");
        assertThat(facts.schemas()).isEmpty();
        assertThat(facts.unqualifiedRelation()).isTrue();
    }

    @Test
    void knowsPatternsOfPsql() {
        StatementFacts facts = one("SELECT 1 FROM pg_catalog.pg_class c WHERE n.nspname ~ '^(tenant1)$'");
        assertThat(facts.catalogUse()).isEqualTo(CatalogUse.ONLY);
        assertThat(facts.catalogLiterals()).containsExactly("tenant1");
    }

    @Test
    void splitsStatements() {
        assertThat(scan(" begin ;; select ';' ; commit; ").stream().map(StatementFacts::kind))
                .containsExactly(StatementKind.BEGIN, StatementKind.SELECT, StatementKind.COMMIT);
    }

    @Test
    void findsNothingInBlankText() {
        assertThat(scan(" -- nothing\n ; /* or /* less */ */ ")).isEmpty();
    }

    @Test
    void keepsBodiesOfRoutinesWhole() {
        assertThat(scan("create procedure p() begin atomic select case when a then 1 end; insert into t values (1);"
                        + " end; select 2"))
                .hasSize(2);
        assertThat(scan("create function f(begin atomic) returns begin as 'x'; select 1"))
                .hasSize(2);
    }

    @Test
    void keepsActionsOfRulesWhole() {
        assertThat(scan("create rule r as on insert to a.t do (delete from b.u; delete from c.v); select 1"))
                .hasSize(2);
    }

    @Test
    void endsOperatorsWhereCommentsBegin() {
        assertThat(one("select 1 +-- from a.b\n 2 */* from c.d */ 3").schemas()).isEmpty();
        assertThat(one("select a->>'x', b @> c from d.e").schemas()).containsExactly("d");
    }

    @Test
    void readsBackslashesBySetting() {
        String sql = "select '\\', 'a'' from b.c -- '";
        byte[] bytes = sql.getBytes(StandardCharsets.UTF_8);
        LexicalRules old = new LexicalRules(false, StandardCharsets.UTF_8);
        assertThat(new SqlScanner().scan(bytes, 0, bytes.length, old)).hasSize(1);
        assertThat(one("select E'\\' from a.b; ' from c.d").schemas()).containsExactly("c");
    }

    @Test
    void findsNamesOfOursWhereTheyAre() {
        StatementFacts facts = one("select é, citus_add_node('a', 1) from public . \"citus_schemas\" s");
        assertThat(facts.tenantryNames())
                .containsExactly(
                        new StatementFacts.TenantryName(11, 25, "citus_add_node"),
                        new StatementFacts.TenantryName(39, 63, "citus_schemas"));
        assertThat(facts.schemas()).isEmpty();
        assertThat(one("with citus_schemas as (select 1) select * from citus_schemas")
                        .tenantryNames())
                .isEmpty();
    }

    @Test
    void takesReadsOfNothingForRepeatable() {
        assertThat(one("select now(), version()").sideEffectFree()).isTrue();
        assertThat(one("select count(*) from pg_class").sideEffectFree()).isTrue();
        assertThat(one("select nextval('q')").sideEffectFree()).isFalse();
        assertThat(one("select pg_advisory_lock(1)").sideEffectFree()).isFalse();
        assertThat(one("select my_function()").sideEffectFree()).isFalse();
        assertThat(one("select * from pg_class for update").sideEffectFree()).isFalse();
        assertThat(one("select 1 into t").sideEffectFree()).isFalse();
        assertThat(one("explain analyze select 1").sideEffectFree()).isFalse();
    }

    @Test
    void findsThePasswordOfARole() {
        String sql = "alter role joe with encrypted password E'p\\'w' login";
        StatementAction.EveryNode action = (StatementAction.EveryNode) one(sql).action();
        StatementAction.PasswordLiteral password = action.password().orElseThrow();
        assertThat(password.text()).isEqualTo("p'w");
        assertThat(sql.substring(password.start(), password.end())).isEqualTo("E'p\\'w'");
    }

    @Test
    void tellsWhereTheHeaderOfCreateSchemaEnds() {
        StatementAction.CreateSchema action =
                (StatementAction.CreateSchema) one("create schema a authorization \"J x\" create table t (x int)")
                        .action();
        assertThat(action.headerEnd()).isEqualTo(35);
        assertThat(action.authorization()).contains("\"J x\"");
    }

    @Test
    void understandsNothingOfMalformedControlStatements() {
        for (String sql : List.of(
                "begin read",
                "commit and",
                "set search_path a",
                "rollback to",
                "savepoint",
                "discard x",
                "set x = select",
                "drop schema a,",
                "create schema a b",
                "alter schema a rename b",
                "set a = b c",
                "reset a b",
                "set transaction",
                "release",
                "deallocate a b",
                "set session characteristics as transaction")) {
            assertThat(one(sql).action()).as(sql).isInstanceOf(StatementAction.None.class);
        }
    }

    @Test
    void scansPartOfABuffer() {
        byte[] bytes = "xx'select * from a.b'yy".getBytes(StandardCharsets.UTF_8);
        StatementFacts facts =
                new SqlScanner().scan(bytes, 3, 17, LexicalRules.DEFAULT).getFirst();
        assertThat(facts.schemas()).containsExactly("a");
        assertThat(facts.start()).isZero();
        assertThat(facts.end()).isEqualTo(17);
    }

    @Test
    void findsOidsAndParametersOfCatalogQueries() {
        assertThat(one("select * from pg_attribute where attrelid = '16500'").oidLiteral())
                .isTrue();
        assertThat(one("select * from pg_attribute where attrelid = 16500").oidLiteral())
                .isTrue();
        assertThat(one("select * from unnest('{12,16500}'::oid[]) o join pg_class c on c.oid = o")
                        .oidLiteral())
                .isTrue();
        assertThat(one("select * from pg_attribute where attnum = 5").oidLiteral())
                .isFalse();
        assertThat(one("select * from pg_class where relname = $1").parameterMayNameSchema())
                .isTrue();
    }

    @Test
    void knowsWhatIsAskedOfTheProxyItself() {
        assertThat(one("SHOW tenantry.sessions").action()).isEqualTo(new ShowActivity(Subject.SESSIONS));
        assertThat(one("show /* mine */ \"Tenantry\" . POOLS").action()).isEqualTo(new ShowActivity(Subject.POOLS));
        for (String other : List.of(
                "SHOW tenantry.node",
                "SHOW tenantry.sessions.x",
                "SHOW x.tenantry.sessions",
                "SHOW sessions",
                "SHOW tenantry.sessions x",
                "SHOW ALL",
                "RESET tenantry.sessions")) {
            assertThat(one(other).action()).as(other).isNotInstanceOf(ShowActivity.class);
        }
    }

    @Test
    void knowsWhatIsToBeExplained() {
        StatementFacts facts = one("EXPLAIN (\"tenantry\") DROP SCHEMA a, b");
        assertThat(facts.kind()).isEqualTo(StatementKind.EXPLAIN);
        StatementFacts explained = facts.explained().orElseThrow();
        assertThat(explained.kind()).isEqualTo(StatementKind.DROP_SCHEMA);
        assertThat(explained.action()).isEqualTo(one("DROP SCHEMA a, b").action());
        assertThat(one("explain (Tenantry) select from a.t")
                        .explained()
                        .orElseThrow()
                        .schemas())
                .containsExactly("a");
        for (String other : List.of(
                "EXPLAIN SELECT 1",
                "EXPLAIN (TENANTRY)",
                "EXPLAIN (TENANTRY, ANALYZE) SELECT 1",
                "EXPLAIN (TENANTRY on) SELECT 1",
                "EXPLAIN TENANTRY SELECT 1",
                "EXPLAIN (\"TENANTRY\") SELECT 1")) {
            assertThat(one(other).explained()).as(other).isEmpty();
        }
    }
}
