/** The tables of schema {@code tenantry}, made by jOOQ from the migrations; never edited by hand. */
package dev.tenantry.store.generated;
