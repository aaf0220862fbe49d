package dev.tenantry.check;

import dev.tenantry.check.Script.End;
import dev.tenantry.check.Script.Said;
import dev.tenantry.check.Script.Way;
import dev.tenantry.check.Transfer.Account;
import dev.tenantry.check.Transfer.Leg;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Makes up transfers, and how they are said. Its choices depend on the seed only. */
final class RandomScripts {
    private static final int AMOUNT_MAX = 100;
    private static final List<Way> WAYS = List.of(Way.values());
    private static final String DIVISION_BY_ZERO = "22012";

    private final Random random;
    private final List<String> schemas;
    private final int accounts;

    RandomScripts(Random random, List<String> schemas, int accounts) {
        this.random = random;
        this.schemas = List.copyOf(schemas);
        this.accounts = accounts;
    }

    /** The next. */
    Script next(long id) {
        Account from = account();
        Account to = account();
        while (to.equals(from)) {
            to = account();
        }
        Transfer transfer = new Transfer(id, from, to, 1 + random.nextInt(AMOUNT_MAX));
        Way way = WAYS.get(random.nextInt(WAYS.size()));
        End end = way.isImplicit() ? End.COMMIT : end(way);
        List<Said> steps = new ArrayList<>();
        List<Leg> legs = new ArrayList<>(transfer.legs());
        Collections.shuffle(legs, random);
        if (random.nextBoolean()) {
            legs.forEach(leg -> steps.addAll(leg(id, leg, way)));
        } else {
            legs.forEach(leg -> steps.add(update(leg)));
            legs.forEach(leg -> steps.add(entry(id, leg)));
        }
        if (!way.isImplicit()) {
            addMistake(steps, way);
            enclose(steps, end);
        }
        return new Script(transfer, way, steps, end);
    }

    private Account account() {
        return new Account(schemas.get(random.nextInt(schemas.size())), 1 + random.nextInt(accounts));
    }

    private End end(Way way) {
        return switch (random.nextInt(40)) {
            case 0, 1 -> End.ROLLBACK;
            case 2, 3 -> End.FAILURE;
            case 4 -> way.isTogether() ? End.COMMIT : End.LEAVE;
            case 5 -> End.LEAVE_AT_COMMIT;
            default -> End.COMMIT;
        };
    }

    // --- one account ------------------------------------------------------------------------------------------------

    /** With the schema's name, or found by the search_path of this transaction. */
    private List<Said> leg(long id, Leg leg, Way way) {
        if (way.isImplicit() || way == Way.PREPARED || random.nextInt(3) > 0) {
            return List.of(update(leg), entry(id, leg));
        }
        String dot = leg.account().schema() + ".";
        return List.of(
                Said.of("SET LOCAL search_path TO " + leg.account().schema(), "SET"),
                Said.of(update(leg).sql().replace(dot, ""), "UPDATE 1"),
                Said.of(entry(id, leg).sql().replace(dot, ""), "INSERT 0 1"));
    }

    private static Said update(Leg leg) {
        String schema = leg.account().schema();
        int number = leg.account().number();
        return new Said(
                "UPDATE " + schema + ".account SET balance = balance + " + leg.amount() + " WHERE id = " + number,
                updateName(schema),
                List.of(Long.toString(leg.amount()), Integer.toString(number)),
                "UPDATE 1");
    }

    private static Said entry(long id, Leg leg) {
        String schema = leg.account().schema();
        int number = leg.account().number();
        return new Said(
                "INSERT INTO " + schema + ".entry VALUES (" + id + ", " + number + ", " + leg.amount() + ")",
                entryName(schema),
                List.of(Long.toString(id), Integer.toString(number), Long.toString(leg.amount())),
                "INSERT 0 1");
    }

    /** The name of a prepared UPDATE, of amount and account. */
    static String updateName(String schema) {
        return "update_" + schema;
    }

    /** The name of a prepared INSERT, of transfer, account and amount. */
    static String entryName(String schema) {
        return "entry_" + schema;
    }

    // --- the transaction --------------------------------------------------------------------------------------------

    /** Something that is taken back by a savepoint. */
    private void addMistake(List<Said> steps, Way way) {
        if (random.nextInt(4) > 0) {
            return;
        }
        List<Said> mistake = new ArrayList<>();
        mistake.add(Said.of("SAVEPOINT a", "SAVEPOINT"));
        mistake.add(update(new Leg(account(), AMOUNT_MAX)));
        if (!way.isTogether() && random.nextBoolean()) {
            mistake.add(failure());
        }
        mistake.add(Said.of("ROLLBACK TO a", "ROLLBACK"));
        if (random.nextBoolean()) {
            mistake.add(Said.of("RELEASE a", "RELEASE"));
        }
        int place = random.nextInt(steps.size() + 1);
        boolean unnamed = steps.stream().anyMatch(step -> step.expected().equals("SET"));
        steps.addAll(unnamed ? steps.size() : place, mistake);
    }

    private static Said failure() {
        return Said.of("SELECT 1 / 0", DIVISION_BY_ZERO);
    }

    private void enclose(List<Said> steps, End end) {
        steps.addFirst(Said.of(begin(), "BEGIN"));
        switch (end) {
            case COMMIT, LEAVE, LEAVE_AT_COMMIT -> steps.add(Said.of("COMMIT", "COMMIT"));
            case ROLLBACK -> steps.add(Said.of("ROLLBACK", "ROLLBACK"));
            case FAILURE -> {
                steps.add(failure());
                steps.add(Said.of("COMMIT", "ROLLBACK"));
            }
        }
    }

    private String begin() {
        return switch (random.nextInt(20)) {
            case 0, 1 -> "BEGIN ISOLATION LEVEL REPEATABLE READ";
            case 2 -> "BEGIN ISOLATION LEVEL SERIALIZABLE";
            default -> "BEGIN";
        };
    }
}
