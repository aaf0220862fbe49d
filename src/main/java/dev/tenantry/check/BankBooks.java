package dev.tenantry.check;

import dev.tenantry.check.Transfer.Account;
import dev.tenantry.check.Transfer.Leg;
import dev.tenantry.check.TransferLog.Ended;
import dev.tenantry.client.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is in the accounts at the end, compared with what clients know. Not thread-safe. */
final class BankBooks {
    private static final Duration AWAY_MAX = Duration.ofSeconds(60);
    private static final int SHOWN_MAX = 20;

    private final BankBed bed;
    private final TransferLog log;
    private final List<String> wrong = new ArrayList<>();
    private int done;
    private int undone;

    BankBooks(BankBed bed, TransferLog log) {
        this.bed = bed;
        this.log = log;
    }

    /**
     * Looks, when nothing is written any more.
     *
     * @return what became of the transfers in doubt, in a few words
     * @throws CheckFailedException if something is wrong
     */
    String check() throws InterruptedException {
        Map<Long, Set<Leg>> entries = new HashMap<>();
        long total = 0;
        try (BankSession session = new BankSession(bed, 0, log)) {
            for (String schema : bed.schemas()) {
                Map<Account, Long> balances = readEntries(session, schema, entries);
                for (List<Long> row : read(session, "SELECT id, balance FROM " + schema + ".account")) {
                    Account account = new Account(schema, row.getFirst().intValue());
                    long expected = BankBed.BALANCE + balances.getOrDefault(account, 0L);
                    total += row.getLast();
                    require(
                            row.getLast() == expected,
                            account + " holds " + row.getLast() + ", its entries make " + expected);
                }
            }
        }
        require(total == bed.total(), "all accounts hold " + total + " together instead of " + bed.total());
        log.all()
                .forEach(ended -> compare(ended, entries.remove(ended.transfer().id())));
        entries.forEach((id, legs) -> wrong.add("transfer " + id + " that no client has made: " + legs));
        if (!wrong.isEmpty()) {
            throw new CheckFailedException(wrong.size() + " things are wrong:\n  "
                    + String.join("\n  ", wrong.subList(0, Math.min(SHOWN_MAX, wrong.size()))));
        }
        return "in-doubt-done=" + done + " in-doubt-undone=" + undone;
    }

    private Map<Account, Long> readEntries(BankSession session, String schema, Map<Long, Set<Leg>> entries)
            throws InterruptedException {
        Map<Account, Long> sums = new HashMap<>();
        for (List<Long> row : read(session, "SELECT transfer, account, amount FROM " + schema + ".entry")) {
            Account account = new Account(schema, row.get(1).intValue());
            sums.merge(account, row.get(2), Long::sum);
            Set<Leg> legs = entries.computeIfAbsent(row.getFirst(), id -> new HashSet<>(2));
            require(legs.add(new Leg(account, row.get(2))), "transfer " + row.getFirst() + " is twice in " + account);
        }
        return sums;
    }

    private static List<List<Long>> read(BankSession session, String sql) throws InterruptedException {
        Instant end = Instant.now().plus(AWAY_MAX);
        while (true) {
            Optional<List<Answer>> heard = session.ask(List.of(sql));
            if (heard.isPresent()) {
                return heard.get().getFirst().rows().stream()
                        .map(row -> row.stream()
                                .map(value -> Long.valueOf("" + value))
                                .toList())
                        .toList();
            }
            if (Instant.now().isAfter(end)) {
                throw new CheckFailedException("no answer for " + AWAY_MAX.toSeconds() + " s to " + sql);
            }
        }
    }

    private void compare(Ended ended, @Nullable Set<Leg> found) {
        boolean absent = found == null;
        boolean whole = Set.copyOf(ended.transfer().legs()).equals(found);
        switch (ended.fate()) {
            case ACKNOWLEDGED ->
                require(whole, ended + ": " + (absent ? "is not there" : "only this is there: " + found));
            case FAILED -> require(absent, ended + ": is there: " + found);
            case IN_DOUBT -> {
                require(absent || whole, ended + ": only a part is there: " + found);
                done += whole ? 1 : 0;
                undone += absent ? 1 : 0;
            }
        }
    }

    private void require(boolean condition, String otherwise) {
        if (!condition) {
            wrong.add(otherwise);
        }
    }
}
