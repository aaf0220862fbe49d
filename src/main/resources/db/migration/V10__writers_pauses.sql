-- Pauses that let readers go on, for moves whose writers wait from begin to end.
ALTER TABLE tenantry.pause ADD COLUMN held text NOT NULL DEFAULT 'all',
    ADD CONSTRAINT pause_held_known CHECK (held IN ('all', 'writers') AND (held = 'all' OR schemaid IS NOT NULL));
COMMENT ON COLUMN tenantry.pause.held IS 'What waits: all, or only writers';
