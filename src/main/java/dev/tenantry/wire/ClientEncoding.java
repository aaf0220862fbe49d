package dev.tenantry.wire;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * PostgreSQL's names of encodings ("Character Set Support" of its manual), as far as they matter to a reader of SQL: an
 * encoding whose characters may contain bytes of ASCII can't be cut into tokens safely.
 */
public final class ClientEncoding {
    private static final Set<String> UNSAFE = Set.of(
            "BIG5",
            "GB18030",
            "GBK",
            "JOHAB",
            "SJIS",
            "SHIFT_JIS_2004",
            "SHIFTJIS2004",
            "MSKANJI",
            "SHIFTJIS",
            "UHC",
            "WIN950",
            "WINDOWS950",
            "WIN936",
            "WINDOWS936",
            "WIN932",
            "WINDOWS932",
            "WIN949",
            "WINDOWS949");
    private static final Map<String, String> JAVA_NAMES = Map.ofEntries(
            Map.entry("UTF8", "UTF-8"),
            Map.entry("UNICODE", "UTF-8"),
            Map.entry("LATIN1", "ISO-8859-1"),
            Map.entry("ISO88591", "ISO-8859-1"),
            Map.entry("LATIN2", "ISO-8859-2"),
            Map.entry("LATIN5", "ISO-8859-9"),
            Map.entry("LATIN9", "ISO-8859-15"),
            Map.entry("WIN1250", "windows-1250"),
            Map.entry("WIN1251", "windows-1251"),
            Map.entry("WIN1252", "windows-1252"),
            Map.entry("KOI8R", "KOI8-R"),
            Map.entry("EUCJP", "EUC-JP"),
            Map.entry("EUCKR", "EUC-KR"));

    /** The setting that names a client's encoding. */
    public static final String SETTING = "client_encoding";

    private ClientEncoding() {}

    /** Whether SQL in this encoding can be read byte by byte. */
    public static boolean isSafe(String encoding) {
        return !UNSAFE.contains(normalized(encoding)) && !UNSAFE.contains(encoding.toUpperCase(Locale.ROOT));
    }

    /** The encoding of names; one that Java does not know is read byte by byte, which leaves ASCII names right. */
    public static Charset charset(String encoding) {
        String name = JAVA_NAMES.get(normalized(encoding));
        return name == null ? StandardCharsets.ISO_8859_1 : Charset.forName(name);
    }

    /** As PostgreSQL compares names of encodings: letters and digits only, case does not matter. */
    private static String normalized(String encoding) {
        return encoding.replaceAll("[^A-Za-z0-9]", "").toUpperCase(Locale.ROOT);
    }
}
