package dev.tenantry.sql;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The literals and parameters of the statement that is being read, each with the column that was named last before it:
 * in a catalog query this is how a schema is named. What they mean is found out at the end, of catalog queries only.
 */
final class ValueFindings {
    private static final int LITERALS_MAX = 1024;
    private static final int NAME_LITERAL_BYTES_MAX = 160;

    /** Numbers for each value: its start, end and form (or its number), the column's start and end, the first value. */
    private static final int STRIDE = 6;

    private static final String AFTER_COLUMN =
            "[)\\s]*(::\\s*[\\w.]+\\s*)?(OPERATOR\\s*\\(\\s*(pg_catalog\\s*\\.\\s*)?)?";
    private static final Pattern EQUALS =
            Pattern.compile(AFTER_COLUMN + "(=|~|LIKE\\b|ILIKE\\b|IN\\b)", Pattern.CASE_INSENSITIVE);
    private static final Pattern DIFFERS =
            Pattern.compile(AFTER_COLUMN + "(<>|!=|!~|NOT\\s+(LIKE|ILIKE|IN)\\b)", Pattern.CASE_INSENSITIVE);

    private final Lexer t;
    private int[] literals = new int[STRIDE * 16];
    private int literalCount;
    private int[] parameters = new int[STRIDE * 4];
    private int parameterCount;
    private boolean bigInteger;
    private int columnStart;
    private int columnEnd;
    private int firstValue;

    ValueFindings(Lexer lexer) {
        t = lexer;
    }

    void clear() {
        literalCount = 0;
        parameterCount = 0;
        bigInteger = false;
        columnStart = 0;
        columnEnd = 0;
        firstValue = -1;
    }

    /** A column is named, its own name by the k-th token. */
    void column(int k) {
        columnStart = t.start(k);
        columnEnd = t.end(k);
        firstValue = -1;
    }

    void literal() {
        if (literalCount < LITERALS_MAX) {
            literals = room(literals, literalCount);
            value(literals, STRIDE * literalCount, t.end(0), t.form(0));
            literalCount++;
        }
    }

    void parameter() {
        if (parameterCount < LITERALS_MAX) {
            parameters = room(parameters, parameterCount);
            value(parameters, STRIDE * parameterCount, t.end(0), t.integer(0));
            parameterCount++;
        }
    }

    void number() {
        bigInteger |= t.integer(0) >= CatalogNames.FIRST_NORMAL_OID;
    }

    boolean hasParameter() {
        return parameterCount > 0;
    }

    private static int[] room(int[] values, int count) {
        return STRIDE * count == values.length ? Arrays.copyOf(values, values.length * 2) : values;
    }

    private void value(int[] values, int at, int end, int formOrNumber) {
        if (firstValue < 0) {
            firstValue = t.start(0);
        }
        values[at] = t.start(0);
        values[at + 1] = end;
        values[at + 2] = formOrNumber;
        values[at + 3] = columnStart;
        values[at + 4] = columnEnd;
        values[at + 5] = firstValue;
    }

    /** What a catalog query says of schemas. */
    CatalogLiterals found() {
        List<String> names = new ArrayList<>();
        List<String> compared = new ArrayList<>();
        boolean oid = bigInteger;
        for (int at = 0; at < STRIDE * literalCount; at += STRIDE) {
            String text = t.string(literals[at], literals[at + 1], (byte) literals[at + 2]);
            oid |= CatalogNames.isOid(text);
            boolean isName = literals[at + 1] - literals[at] <= NAME_LITERAL_BYTES_MAX && !text.isEmpty();
            if (isName && !relates(DIFFERS, literals, at)) {
                List<String> candidates = CatalogNames.candidates(text);
                addMissing(names, candidates);
                if (isOfSchemas(literals, at) && relates(EQUALS, literals, at)) {
                    addMissing(compared, candidates);
                }
            }
        }
        List<Integer> comparedParameters = new ArrayList<>();
        for (int at = 0; at < STRIDE * parameterCount; at += STRIDE) {
            if (isOfSchemas(parameters, at) && relates(EQUALS, parameters, at)) {
                comparedParameters.add(parameters[at + 2]);
            }
        }
        return new CatalogLiterals(
                List.copyOf(names),
                compared.isEmpty() && comparedParameters.isEmpty()
                        ? ComparedSchemas.NONE
                        : new ComparedSchemas(List.copyOf(compared), List.copyOf(comparedParameters)),
                oid);
    }

    private static void addMissing(List<String> names, List<String> candidates) {
        candidates.stream().filter(name -> !names.contains(name)).forEach(names::add);
    }

    /** Whether the column holds names of schemas, as those of pg_catalog, information_schema and JDBC do. */
    private boolean isOfSchemas(int[] values, int at) {
        String column =
                t.raw(values[at + 3], values[at + 4]).toLowerCase(Locale.ROOT).replace("\"", "");
        return column.equals("nspname")
                || column.equals("schemaname")
                || column.equals("schema_name")
                || column.endsWith("_schema")
                || column.endsWith("_schem");
    }

    /** Whether what stands between the column and the first value after it begins with such an operator. */
    private boolean relates(Pattern operator, int[] values, int at) {
        return operator.matcher(t.raw(values[at + 4], values[at + 5])).lookingAt();
    }
}
