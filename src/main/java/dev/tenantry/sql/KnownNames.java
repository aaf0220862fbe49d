package dev.tenantry.sql;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The words PostgreSQL and we give a meaning to: keywords, and the names of functions, types and relations of
 * {@code pg_catalog}; looked up by their bytes without making a String. Immutable, one for the process.
 *
 * <p>The lists are {@code pg-names.txt}, made from real servers by {@code src/test/vectors/pg-names.sh}, and
 * {@code tenantry-names.txt}, the names we provide in schema {@code tenantry}.
 */
final class KnownNames {

    static final int RESERVED = 1;
    static final int TYPE_OR_FUNCTION = 2;
    static final int COLUMN_NAME = 4;
    static final int UNRESERVED = 8;
    static final int KEYWORD = RESERVED | TYPE_OR_FUNCTION | COLUMN_NAME | UNRESERVED;
    /** A function of pg_catalog. */
    static final int FUNCTION = 16;
    /** A function of pg_catalog that may change something. */
    static final int EFFECT = 32;
    /** A type of pg_catalog. */
    static final int TYPE = 64;
    /** A relation of pg_catalog. */
    static final int RELATION = 128;
    /** A relation of pg_catalog about what all nodes share. */
    static final int SHARED = 256;
    /** A relation of information_schema about what all nodes share. */
    static final int INFORMATION_SHARED = 512;
    /** A name of ours. */
    static final int TENANTRY = 1024;
    /** A function of pg_catalog whose value is the search_path as the server resolves it. */
    static final int PATH = 2048;
    /** A function that may leave something in the server process when its transaction is over. */
    static final int TRACE = 4096;
    /** A function that tells what an earlier {@code nextval} of the session gave. */
    static final int SEQUENCE = 8192;
    /** A function that begins the session's own row of random numbers. */
    static final int SEED = 16384;

    /** The function set_config. */
    static final int SETTING = 32768;

    /** No name is longer in PostgreSQL (NAMEDATALEN - 1). */
    static final int NAME_BYTES_MAX = 63;

    /** Types that exist only in column definitions. */
    private static final List<String> SERIAL_TYPES =
            List.of("serial", "serial2", "serial4", "serial8", "smallserial", "bigserial");

    private static final List<String> PATH_FUNCTIONS = List.of("current_schema", "current_schemas");

    /** Functions of well-known extensions; those of pg_catalog with effects count unless they are named below. */
    private static final List<String> TRACING =
            List.of("dblink_connect", "dblink_connect_u", "dblink_open", "dblink_send_query", "set_limit", "isn_weak");

    /** What these change is in the database, or over with the transaction; the model knows what set_config sets. */
    private static final Pattern TRACELESS = Pattern.compile("set_config|nextval|setval|currval|lastval|setseed"
            + "|pg_(try_)?advisory_xact_.*|pg_advisory_unlock.*|pg_notify|pg_sleep.*"
            + "|txid_.*|pg_(current|snapshot)_xact.*"
            + "|pg_export_snapshot|lo_.*|lowrite|loread|pg_(cancel|terminate)_backend|RI_FKey_.*|pg_blocking_pids"
            + "|pg_stat_get_.*|pg_(relation|table|indexes|total_relation|database|tablespace|column)_size"
            + "|pg_get_.*|pg_size_pretty|random.*|pg_lock_status|pg_current_wal.*|pg_wal_lsn_diff|inet_.*"
            + "|suppress_redundant_updates_trigger|tsvector_update_trigger.*");

    private static final int HASH_FACTOR = 31;
    private static final KnownNames INSTANCE = new KnownNames();

    private final byte[][] words;
    private final String[] strings;
    private final int[] flags;
    private final Keyword[] keywords;
    private final int[] slots;
    private int count;

    private KnownNames() {
        List<String> catalog = lines("pg-names.txt");
        List<String> ours = lines("tenantry-names.txt");
        int capacity = catalog.size() + ours.size() + SERIAL_TYPES.size() + PATH_FUNCTIONS.size() + TRACING.size();
        words = new byte[capacity][];
        strings = new String[capacity];
        flags = new int[capacity];
        keywords = new Keyword[capacity];
        slots = new int[Integer.highestOneBit(capacity) * 4];
        for (String line : catalog) {
            int blank = line.indexOf(' ');
            String name = line.substring(0, blank);
            int codes = codes(line.substring(blank + 1));
            add(name, (codes & EFFECT) == 0 || TRACELESS.matcher(name).matches() ? codes : codes | TRACE);
        }
        ours.forEach(name -> add(name, TENANTRY));
        SERIAL_TYPES.forEach(name -> add(name, TYPE));
        PATH_FUNCTIONS.forEach(name -> add(name, PATH));
        TRACING.forEach(name -> add(name, TRACE));
        add("currval", SEQUENCE);
        add("lastval", SEQUENCE);
        add("setseed", SEED);
        add("set_config", SETTING);
    }

    /** The one table. */
    static KnownNames get() {
        return INSTANCE;
    }

    /** The index of a word, or -1; ASCII capitals count as small letters when {@code fold}. */
    int find(byte[] text, int start, int end, boolean fold) {
        if (end - start > NAME_BYTES_MAX) {
            return -1;
        }
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = hash * HASH_FACTOR + (fold ? folded(text[i]) : text[i]);
        }
        return find(text, start, end, fold, hash);
    }

    /** The same with the hash that the caller has computed while it read the word; see {@link #hashed}. */
    int find(byte[] text, int start, int end, boolean fold, int hash) {
        int mask = slots.length - 1;
        for (int slot = spread(hash) & mask; slots[slot] != 0; slot = (slot + 1) & mask) {
            if (equal(words[slots[slot] - 1], text, start, end, fold)) {
                return slots[slot] - 1;
            }
        }
        return -1;
    }

    /** What a word is, for a String; 0 when it is not known. */
    int flags(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        int index = find(bytes, 0, bytes.length, false);
        return index < 0 ? 0 : flags[index];
    }

    int flags(int index) {
        return flags[index];
    }

    Keyword keyword(int index) {
        return keywords[index];
    }

    String string(int index) {
        return strings[index];
    }

    /** One more byte of a word. */
    static int hashed(int hash, int folded) {
        return hash * HASH_FACTOR + folded;
    }

    /** PostgreSQL folds ASCII letters only, in a multi-byte encoding. */
    static byte folded(byte b) {
        return b >= 'A' && b <= 'Z' ? (byte) (b + ('a' - 'A')) : b;
    }

    private void add(String name, int codes) {
        byte[] word = name.getBytes(StandardCharsets.UTF_8);
        int existing = find(word, 0, word.length, false);
        if (existing >= 0) {
            flags[existing] |= codes;
            return;
        }
        words[count] = word;
        strings[count] = name;
        flags[count] = codes;
        keywords[count] = (codes & KEYWORD) == 0 ? Keyword.NONE : Keyword.of(name);
        int hash = 0;
        for (byte b : word) {
            hash = hashed(hash, b);
        }
        int slot = spread(hash) & (slots.length - 1);
        while (slots[slot] != 0) {
            slot = (slot + 1) & (slots.length - 1);
        }
        slots[slot] = ++count;
    }

    private static int spread(int hash) {
        int mixed = hash * 0x9E3779B9;
        return mixed ^ (mixed >>> 15);
    }

    private static boolean equal(byte[] word, byte[] text, int start, int end, boolean fold) {
        if (word.length != end - start) {
            return false;
        }
        for (int i = 0; i < word.length; i++) {
            byte b = text[start + i];
            if (word[i] != b && (!fold || word[i] != folded(b))) {
                return false;
            }
        }
        return true;
    }

    private static int codes(String letters) {
        int codes = 0;
        for (int i = 0; i < letters.length(); i++) {
            codes |= switch (letters.charAt(i)) {
                case 'R' -> RESERVED;
                case 'T' -> TYPE_OR_FUNCTION;
                case 'C' -> COLUMN_NAME;
                case 'U' -> UNRESERVED;
                case 'f' -> FUNCTION;
                case 'F' -> FUNCTION | EFFECT;
                case 't' -> TYPE;
                case 'r' -> RELATION;
                case 'g' -> RELATION | SHARED;
                case 'i' -> INFORMATION_SHARED;
                default -> throw new IllegalStateException("unknown code " + letters);
            };
        }
        return codes;
    }

    private static List<String> lines(String resource) {
        try (InputStream stream = Objects.requireNonNull(KnownNames.class.getResourceAsStream(resource), resource);
                BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            return new ArrayList<>(reader.lines().toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
