package dev.tenantry.check;

import java.util.List;

/**
 * Money that goes from one account to another.
 *
 * @param id no other has it
 * @param from whose balance falls by the amount
 * @param to whose balance grows by it
 * @param amount above zero
 */
record Transfer(long id, Account from, Account to, long amount) {

    /** An account; its number is from 1. */
    record Account(String schema, int number) {}

    /** What happens to one account. */
    record Leg(Account account, long amount) {}

    /** Both legs. */
    List<Leg> legs() {
        return List.of(new Leg(from, -amount), new Leg(to, amount));
    }

    @Override
    public String toString() {
        return id + " (" + amount + " from " + from.schema() + "/" + from.number() + " to " + to.schema() + "/"
                + to.number() + ")";
    }
}
