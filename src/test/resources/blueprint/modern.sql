-- What PostgreSQL 16 to 18 brought.
CREATE SCHEMA modern;
SET search_path = modern;
CREATE TABLE virtuals (a int, v int GENERATED ALWAYS AS (a * 2), s int GENERATED ALWAYS AS (a + 1) STORED, t text STORAGE EXTERNAL COMPRESSION pglz);
CREATE TABLE nulls (
    a int CONSTRAINT a_named NOT NULL,
    b int NOT NULL,
    c int CONSTRAINT c_alone NOT NULL NO INHERIT,
    d int,
    e int PRIMARY KEY);
ALTER TABLE nulls ADD CONSTRAINT d_later NOT NULL d NOT VALID;
COMMENT ON CONSTRAINT a_named ON nulls IS 'never null';
CREATE TABLE child (b int NOT NULL, f int) INHERITS (nulls);
CREATE TABLE grandchild () INHERITS (child);
ALTER TABLE grandchild ADD CONSTRAINT c_here NOT NULL c;
ALTER TABLE nulls ADD COLUMN late int CONSTRAINT late_named NOT NULL;
CREATE TABLE not_yet (z int);
ALTER TABLE not_yet ADD CONSTRAINT not_yet_null NOT NULL z NOT VALID;
CREATE TABLE already () INHERITS (not_yet);
CREATE TABLE already_too () INHERITS (already);
CREATE TABLE not_yet_parts (z int) PARTITION BY LIST (z);
ALTER TABLE not_yet_parts ADD CONSTRAINT not_yet_part_null NOT NULL z NOT VALID;
CREATE TABLE already_part PARTITION OF not_yet_parts FOR VALUES IN (1);
CREATE TABLE already_attached (z int CONSTRAINT another_name NOT NULL);
ALTER TABLE not_yet_parts ATTACH PARTITION already_attached FOR VALUES IN (2);
CREATE TABLE already_itself PARTITION OF not_yet_parts FOR VALUES IN (3);
ALTER TABLE already_itself ALTER COLUMN z SET NOT NULL;
CREATE TABLE never_parts (z int NOT NULL) PARTITION BY LIST (z);
CREATE TABLE never_itself PARTITION OF never_parts FOR VALUES IN (1);
ALTER TABLE never_itself ALTER COLUMN z SET NOT NULL;
CREATE TABLE unenforced (a int, b int, CONSTRAINT maybe CHECK (a > 0) NOT ENFORCED, e int REFERENCES nulls NOT ENFORCED);
ALTER TABLE unenforced ADD CONSTRAINT fk_later FOREIGN KEY (b) REFERENCES nulls NOT VALID;
CREATE TABLE booked (room int4range, during tstzrange, note text, PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE visits (room int4range, during tstzrange,
    UNIQUE (room, during WITHOUT OVERLAPS) DEFERRABLE,
    FOREIGN KEY (room, PERIOD during) REFERENCES booked (room, PERIOD during));
CREATE TABLE parts (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 CACHE 5), k int NOT NULL, v int GENERATED ALWAYS AS (k + 1)) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts (CONSTRAINT only_one CHECK (k = 1)) FOR VALUES IN (1);
CREATE TABLE parts_2 (v int GENERATED ALWAYS AS (k + 2), k int CONSTRAINT other_name NOT NULL, id bigint NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
CREATE TABLE parts_target (id bigint PRIMARY KEY);
ALTER TABLE parts ADD CONSTRAINT fk FOREIGN KEY (id) REFERENCES parts_target NOT VALID;
CREATE DOMAIN named_null AS int CONSTRAINT dn NOT NULL;
COMMENT ON CONSTRAINT dn ON DOMAIN named_null IS 'named';
CREATE COLLATION fast (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE COLLATION ruled (PROVIDER = icu, LOCALE = 'en', RULES = '&a < g');
CREATE TABLE texts (f text COLLATE fast, r text COLLATE ruled UNIQUE NULLS NOT DISTINCT, n named_null);
CREATE STATISTICS unset ON f, r FROM texts;
CREATE PUBLICATION tenantry_too FOR TABLE virtuals WITH (publish_generated_columns = stored);
GRANT MAINTAIN ON texts TO bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA modern GRANT MAINTAIN ON TABLES TO alice;
CREATE FUNCTION body(a int) RETURNS int LANGUAGE sql RETURN a + 1;
CREATE MATERIALIZED VIEW old_rows AS SELECT a FROM nulls;
