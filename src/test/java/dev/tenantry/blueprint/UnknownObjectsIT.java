package dev.tenantry.blueprint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenantry.support.PostgresNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What can't be created elsewhere, or is tied to what stays, is refused by name; and what may stay is not. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class UnknownObjectsIT {

    private static final String SCHEMAS = """
            CREATE SCHEMA acme; CREATE SCHEMA other; SET search_path = acme;
            CREATE TABLE acme.t (id int PRIMARY KEY); CREATE TABLE other.t (id int PRIMARY KEY);
            CREATE TYPE other.mood AS ENUM ('fine');
            CREATE FUNCTION other.f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
            CREATE FUNCTION other.trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE FUNCTION acme.event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
            """;

    private BlueprintNode node;

    @BeforeAll
    void start() {
        node = new BlueprintNode(PostgresNode.start("unknown"));
    }

    @AfterAll
    void stop() {
        node.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            CREATE EXTENSION postgres_fdw SCHEMA public; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; \
            CREATE FOREIGN TABLE f (a int) SERVER s | foreign table "acme"."f"
            CREATE EXTENSION pgcrypto SCHEMA acme | extension "pgcrypto"
            CREATE VIEW other.v AS SELECT * FROM acme.t | view "other"."v"
            CREATE TABLE other.u (id int REFERENCES acme.t) | on table "other"."u"
            CREATE TABLE other.u () INHERITS (acme.t) | table "other"."u"
            CREATE TABLE acme.u () INHERITS (other.t) | table "acme"."u"
            CREATE TABLE acme.u (id int REFERENCES other.t) | table "other"."t"
            CREATE TABLE acme.u (m other.mood[]) | type "other"."mood"
            CREATE VIEW acme.v AS SELECT * FROM other.t | table "other"."t"
            CREATE TABLE acme.u (id int DEFAULT other.f(1)) | function "other"."f"
            CREATE INDEX ON acme.t (other.f(id)) | function "other"."f"
            CREATE TRIGGER x AFTER INSERT ON acme.t EXECUTE FUNCTION other.trigger() | function "other"."trigger"()
            CREATE EVENT TRIGGER late ON ddl_command_end EXECUTE FUNCTION acme.event() | event trigger late
            CREATE TABLE other.l (id int) PARTITION BY LIST (id); CREATE TABLE acme.l1 PARTITION OF other.l DEFAULT \
            | "acme"."l1"
            CREATE TABLE acme.l (id int) PARTITION BY LIST (id); CREATE TABLE other.l1 PARTITION OF acme.l DEFAULT \
            | "other"."l1"
            CREATE TABLE acme.r (id int REFERENCES acme.t); ALTER TABLE acme.r DISABLE TRIGGER ALL \
            | RI_ConstraintTrigger
            CREATE OPERATOR acme.<< (FUNCTION = int4lt, LEFTARG = int, RIGHTARG = int, NEGATOR = OPERATOR(acme.>>)) \
            | operator "acme".>>
            CREATE SUBSCRIPTION tenantry_feed CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false); \
            INSERT INTO pg_subscription_rel SELECT oid, 'acme.t'::regclass, 'r' FROM pg_subscription | subscription tenantry_feed
            CREATE FUNCTION acme.g(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'varchar_support'; \
            CREATE TRANSFORM FOR bigint LANGUAGE sql (FROM SQL WITH FUNCTION acme.g(internal)) | transform
            """)
    void refusesByName(String sql, String named) {
        String database = node.database();
        node.run(database, SCHEMAS + sql);

        assertThatThrownBy(() -> node.read(database, "acme"))
                .isInstanceOfSatisfying(UnknownObjectsException.class, refused -> {
                    assertThat(refused).hasMessageStartingWith("schema acme cannot be moved because of ");
                    assertThat(refused.objects())
                            .anySatisfy(object -> assertThat(object.toString()).contains(named));
                });
    }

    @Test
    void readsAgainOnTheSameConnectionAfterARefusal() {
        String database = node.database();
        node.run(database, SCHEMAS + "CREATE EXTENSION pgcrypto SCHEMA other");

        node.with(database, connection -> {
            assertThatThrownBy(() -> BlueprintReader.read(connection, "other"))
                    .isInstanceOf(UnknownObjectsException.class);
            return assertThat(BlueprintReader.read(connection, "acme").tables()).hasSize(1);
        });
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            CREATE TABLE public.shared (id int PRIMARY KEY); CREATE TABLE acme.u (id int REFERENCES public.shared)
            CREATE EXTENSION hstore SCHEMA other; CREATE TABLE acme.h (h other.hstore)
            CREATE PUBLICATION every FOR ALL TABLES
            CREATE PUBLICATION tenantry_1_move_1 FOR TABLE acme.t
            CREATE TABLE acme.u (a text); CREATE INDEX CONCURRENTLY_FAILED ON acme.u (a)
            """)
    void carriesWhatUsesWhatEveryNodeHas(String sql) {
        String database = node.database();
        node.run(database, SCHEMAS + sql);

        assertThat(node.read(database, "acme").statements()).isNotEmpty();
    }
}
