-- How far a move is with its tables, and when what it does now will be done at the pace of late.
ALTER TABLE tenantry.move
    ADD COLUMN tables_total integer,
    ADD COLUMN tables_copied integer,
    ADD COLUMN eta_at timestamptz;
