-- Tables come from the nodes as rows of text; with the type goes the function that returned it, which is made anew.
DROP TYPE tenantry.seen_table CASCADE;
