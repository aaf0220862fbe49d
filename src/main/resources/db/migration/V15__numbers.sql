-- Numbers for what is made in a client's own session, where nextval() would become what the client's lastval() tells.
CREATE TABLE tenantry.number_lock ();
COMMENT ON TABLE tenantry.number_lock IS 'Locked for the moment in which a number is taken; see tenantry.next_number()';

-- The lock ends with the subtransaction, long before the caller's transaction, and setval() is never undone. Not an
-- advisory lock: any role could hold that.
CREATE FUNCTION tenantry.next_number(numbers regclass) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    taken bigint;
BEGIN
    BEGIN
        LOCK TABLE tenantry.number_lock IN EXCLUSIVE MODE;
        SELECT setval(numbers, coalesce(pg_sequence_last_value(numbers) + 1, q.seqstart)) INTO STRICT taken
        FROM pg_sequence q WHERE q.seqrelid = numbers;
        RAISE EXCEPTION 'taken' USING ERRCODE = 'TN020';
    EXCEPTION WHEN SQLSTATE 'TN020' THEN
        RETURN taken;
    END;
END
$$;
REVOKE ALL ON FUNCTION tenantry.next_number(regclass) FROM PUBLIC;
COMMENT ON FUNCTION tenantry.next_number(regclass) IS
    'The next number of a sequence from which nobody else takes any by nextval(), unknown to currval() and lastval()';
