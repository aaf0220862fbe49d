package dev.tenantry.sql;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Facts of texts scanned before, found by their bytes without allocation; the least recently used go first when the
 * bytes of keys and (estimated) facts reach the limit. A text is kept when it comes the second time, so texts with
 * their values inside, each seen once, neither cost a copy nor push out others. Not thread-safe: each event loop has
 * its own.
 */
public final class StatementCache {

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Object headers, fields, list and table cells of one entry with one statement that names nothing. */
    private static final int ENTRY_BYTES = 200;

    private static final int STATEMENT_BYTES = 120;
    private static final int NAME_BYTES = 64;

    /** A text that would take more than this part of the limit is not kept. */
    private static final int SHARE = 16;

    /** How many hashes of texts that came once are remembered; a power of 2. */
    private static final int ONCE = 4096;

    private final SqlScanner scanner = new SqlScanner();
    private final long bytesMax;
    private final Entry ends = new Entry(new byte[0], LexicalRules.DEFAULT, 0, List.of(), 0);
    private @Nullable Entry[] buckets = new @Nullable Entry[1024];
    private final int[] once = new int[ONCE];
    private int count;
    private long bytes;
    private long hits;
    private long misses;

    /** A cache of at most so many bytes; 0 keeps nothing. */
    public StatementCache(long bytesMax) {
        this.bytesMax = bytesMax;
        ends.before = ends;
        ends.after = ends;
    }

    /** What {@link SqlScanner#scan} says of the text, from memory when it is there. */
    public List<StatementFacts> scan(byte[] text, int offset, int length, LexicalRules rules) {
        int hash = hash(text, offset, length);
        Entry entry = buckets[hash & (buckets.length - 1)];
        while (entry != null && !entry.is(hash, text, offset, length, rules)) {
            entry = entry.next;
        }
        if (entry != null) {
            hits++;
            if (entry.before != ends) {
                entry.unlink();
                entry.linkAfter(ends);
            }
            return entry.facts;
        }
        misses++;
        List<StatementFacts> facts = scanner.scan(text, offset, length, rules);
        if (length <= bytesMax / SHARE && isSecond(hash)) {
            keep(text, offset, length, rules, hash, facts);
        }
        return facts;
    }

    /** How many bytes it holds, by its own estimate. */
    public long bytes() {
        return bytes;
    }

    /** How many texts it holds. */
    public int size() {
        return count;
    }

    /** How many look-ups found their text, since the beginning. */
    public long hits() {
        return hits;
    }

    /** How many look-ups had to scan, since the beginning. */
    public long misses() {
        return misses;
    }

    /** Another text of the same hash may be taken for the first coming of this one, which only keeps it early. */
    private boolean isSecond(int hash) {
        int at = (hash >>> 16) & (ONCE - 1);
        boolean second = once[at] == hash;
        once[at] = hash;
        return second;
    }

    private void keep(byte[] text, int offset, int length, LexicalRules rules, int hash, List<StatementFacts> facts) {
        long weight = weight(length, facts);
        if (weight > bytesMax / SHARE) {
            return;
        }
        while (bytes + weight > bytesMax) {
            remove(ends.before);
        }
        if (count >= buckets.length) {
            grow();
        }
        byte[] key = Arrays.copyOfRange(text, offset, offset + length);
        Entry entry = new Entry(key, rules, hash, facts, weight);
        int bucket = hash & (buckets.length - 1);
        entry.next = buckets[bucket];
        buckets[bucket] = entry;
        entry.linkAfter(ends);
        count++;
        bytes += weight;
    }

    private void remove(Entry oldest) {
        int bucket = oldest.hash & (buckets.length - 1);
        Entry at = buckets[bucket];
        if (at == oldest) {
            buckets[bucket] = oldest.next;
        }
        while (at != null && at != oldest) {
            if (at.next == oldest) {
                at.next = oldest.next;
            }
            at = at.next;
        }
        oldest.unlink();
        count--;
        bytes -= oldest.weight;
    }

    private void grow() {
        @Nullable Entry[] larger = new @Nullable Entry[buckets.length * 2];
        for (Entry entry = ends.after; entry != ends; entry = entry.after) {
            int bucket = entry.hash & (larger.length - 1);
            entry.next = larger[bucket];
            larger[bucket] = entry;
        }
        buckets = larger;
    }

    private static long weight(int length, List<StatementFacts> facts) {
        long weight = (long) ENTRY_BYTES + length;
        for (StatementFacts one : facts) {
            int names = one.schemas().size()
                    + one.catalogLiterals().size()
                    + one.comparedSchemas().names().size()
                    + one.tenantryNames().size()
                    + one.settingCalls().size();
            weight += STATEMENT_BYTES + (long) NAME_BYTES * names;
        }
        return weight;
    }

    private static int hash(byte[] text, int offset, int length) {
        long hash = length;
        int at = offset;
        int end = offset + length;
        for (; at + Long.BYTES <= end; at += Long.BYTES) {
            hash = (hash ^ (long) LONGS.get(text, at)) * 0x9E3779B97F4A7C15L;
            hash ^= hash >>> 29;
        }
        for (; at < end; at++) {
            hash = (hash ^ text[at]) * 0x9E3779B97F4A7C15L;
        }
        hash ^= hash >>> 32;
        return (int) (hash ^ (hash >>> 15));
    }

    private static final class Entry {
        private final byte[] key;
        private final LexicalRules rules;
        private final int hash;
        private final List<StatementFacts> facts;
        private final long weight;
        private @Nullable Entry next;
        private Entry before = this;
        private Entry after = this;

        Entry(byte[] key, LexicalRules rules, int hash, List<StatementFacts> facts, long weight) {
            this.key = key;
            this.rules = rules;
            this.hash = hash;
            this.facts = facts;
            this.weight = weight;
        }

        boolean is(int otherHash, byte[] text, int offset, int length, LexicalRules otherRules) {
            return hash == otherHash
                    && key.length == length
                    && rules.equals(otherRules)
                    && Arrays.equals(key, 0, length, text, offset, offset + length);
        }

        void unlink() {
            before.after = after;
            after.before = before;
        }

        void linkAfter(Entry newer) {
            before = newer;
            after = newer.after;
            newer.after.before = this;
            newer.after = this;
        }
    }
}
