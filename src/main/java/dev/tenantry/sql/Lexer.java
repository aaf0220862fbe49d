package dev.tenantry.sql;

/**
 * PostgreSQL's tokens, one statement at a time, read on demand into a small ring: whatever the length of the text, the
 * memory is the same and nothing is allocated ("Lexical Structure" of the manual). Not thread-safe.
 *
 * <p>It also knows where a statement ends: at a semicolon outside parentheses (the actions of a rule are in them) and
 * outside the {@code BEGIN ATOMIC ... END} body of a routine, where semicolons separate the statements of the body.
 */
final class Lexer {

    static final byte END = 0;
    static final byte IDENT = 1;
    static final byte QUOTED = 2;
    static final byte STRING = 3;
    static final byte BITS = 4;
    static final byte NUMBER = 5;
    static final byte PARAM = 6;
    static final byte OP = 7;
    static final byte OPEN = 8;
    static final byte CLOSE = 9;
    static final byte OPEN_BRACKET = 10;
    static final byte CLOSE_BRACKET = 11;
    static final byte COMMA = 12;
    static final byte DOT = 13;
    static final byte SEMICOLON = 14;
    static final byte COLON = 15;
    static final byte CAST = 16;
    static final byte DOT_DOT = 17;
    static final byte ASSIGN = 18;
    static final byte ARROW = 19;
    /** What PostgreSQL's lexer refuses: the node will say so. */
    static final byte JUNK = 20;

    /** How far ahead of the current token one may look. */
    static final int LOOK_AHEAD_MAX = 40;

    private static final int RING = 64;
    private static final int MASK = RING - 1;

    private final KnownNames known = KnownNames.get();
    private final byte[] types = new byte[RING];
    private final byte[] forms = new byte[RING];
    private final int[] starts = new int[RING];
    private final int[] ends = new int[RING];
    private final int[] words = new int[RING];
    private final TextDecoder decoder = new TextDecoder();

    private byte[] text = new byte[0];
    private int base;
    private int limit;
    private int pos;
    private boolean backslashes;
    private int current;
    private int last;
    private int filled;
    private boolean started;
    private boolean ended;
    private int depth;
    private final RoutineBodies bodies = new RoutineBodies();

    private int tokenEnd;
    private byte tokenForm;
    private int tokenWord;

    /** Begins with another text; {@link #nextStatement} comes next. */
    void reset(byte[] newText, int offset, int length, LexicalRules rules) {
        text = newText;
        base = offset;
        pos = offset;
        limit = offset + length;
        backslashes = !rules.standardConformingStrings();
        decoder.reset(newText, rules.charset());
        started = false;
        begin();
    }

    /** Goes to the first token of the next statement that has one; false at the end of the text. */
    boolean nextStatement() {
        while (started && type(0) != END) {
            advance();
        }
        started = true;
        while (true) {
            if (ended) {
                pos = starts[current & MASK] + 1;
                begin();
            }
            if (type(0) != END) {
                return true;
            }
            if (!ended) {
                return false;
            }
        }
    }

    private void begin() {
        current = 0;
        filled = 0;
        ended = false;
        depth = 0;
        bodies.begin();
    }

    /** The type of the k-th token from the current one; {@link #END} from the statement's end on. */
    byte type(int k) {
        return types[slot(k)];
    }

    /** The keyword that the token is, or {@link Keyword#NONE}; quoted names are none. */
    Keyword keyword(int k) {
        int slot = slot(k);
        return types[slot] == IDENT && words[slot] >= 0 ? known.keyword(words[slot]) : Keyword.NONE;
    }

    /** What {@link KnownNames} has for the token's name; no keyword bits for a quoted one. */
    int flags(int k) {
        int slot = slot(k);
        if (words[slot] < 0) {
            return 0;
        }
        int flags = known.flags(words[slot]);
        return types[slot] == QUOTED ? flags & ~KnownNames.KEYWORD : flags;
    }

    boolean is(int k, Keyword keyword) {
        return keyword(k) == keyword;
    }

    /** Whether the token is a name that may stand where any identifier may ({@code ColId}). */
    boolean isName(int k) {
        byte type = type(k);
        return type == QUOTED
                || (type == IDENT && (flags(k) & (KnownNames.RESERVED | KnownNames.TYPE_OR_FUNCTION)) == 0);
    }

    /** Whether the token is an identifier or any keyword ({@code ColLabel}). */
    boolean isLabel(int k) {
        byte type = type(k);
        return type == QUOTED || type == IDENT;
    }

    boolean isOperator(int k, char single) {
        int slot = slot(k);
        return types[slot] == OP && ends[slot] - starts[slot] == 1 && text[starts[slot]] == single;
    }

    /** Bytes from the start of the scanned range. */
    int start(int k) {
        return starts[slot(k)] - base;
    }

    int end(int k) {
        return ends[slot(k)] - base;
    }

    /** The identifier as PostgreSQL takes it: folded when not quoted, escapes resolved, cut at 63 bytes. */
    String name(int k) {
        int slot = slot(k);
        if (words[slot] >= 0) {
            return known.string(words[slot]);
        }
        return types[slot] == QUOTED
                ? decoder.quoted(starts[slot], ends[slot], forms[slot])
                : decoder.folded(starts[slot], ends[slot]);
    }

    /** The value of a string literal. */
    String string(int k) {
        int slot = slot(k);
        return decoder.string(starts[slot], ends[slot], forms[slot]);
    }

    /** How a string literal is written; see {@link TextDecoder}. */
    byte form(int k) {
        return forms[slot(k)];
    }

    /** The number of a parameter, or of a plain decimal integer; -1 when it is too large or another form. */
    int integer(int k) {
        int slot = slot(k);
        long value = 0;
        for (int i = starts[slot] + (types[slot] == PARAM ? 1 : 0); i < ends[slot]; i++) {
            if (text[i] < '0' || text[i] > '9') {
                return -1;
            }
            value = value * 10 + (text[i] - '0');
            if (value > Integer.MAX_VALUE) {
                return -1;
            }
        }
        return (int) value;
    }

    /** The token's bytes as text. */
    String raw(int k) {
        int slot = slot(k);
        return decoder.plain(starts[slot], ends[slot]);
    }

    /** The value of a string literal that has been read before. */
    String string(int start, int end, byte form) {
        return decoder.string(base + start, base + end, form);
    }

    /** The bytes between two positions of the scanned range as text. */
    String raw(int start, int end) {
        return decoder.plain(base + start, base + end);
    }

    /** The known word between two positions, quotes around it left out. */
    String word(int start, int end) {
        boolean quotes = text[base + start] == '"';
        int from = base + start + (quotes ? 1 : 0);
        return known.string(known.find(text, from, base + end - (quotes ? 1 : 0), !quotes));
    }

    /** The byte at a position of the scanned range. */
    byte at(int position) {
        return text[base + position];
    }

    /** Where the last token before the current one ends. */
    int lastEnd() {
        return last - base;
    }

    void advance() {
        if (type(0) != END) {
            last = ends[current & MASK];
            current++;
        }
    }

    void advance(int count) {
        for (int i = 0; i < count; i++) {
            advance();
        }
    }

    private int slot(int k) {
        int wanted = current + k;
        while (filled <= wanted) {
            lex();
        }
        return wanted & MASK;
    }

    // --- one token --------------------------------------------------------------------------------------------------

    private void lex() {
        int slot = filled++ & MASK;
        boolean closed = ended || skipBlank();
        int start = pos;
        tokenForm = 0;
        tokenWord = -1;
        byte type = END;
        tokenEnd = start;
        if (!closed) {
            type = JUNK;
            tokenEnd = limit;
        } else if (!ended && start < limit) {
            type = token(text[start], start);
        }
        if (type == SEMICOLON && depth == 0 && !bodies.isOpen()) {
            type = END;
            ended = true;
            tokenEnd = start;
        }
        types[slot] = type;
        forms[slot] = tokenForm;
        starts[slot] = start;
        ends[slot] = tokenEnd;
        words[slot] = tokenWord;
        pos = tokenEnd;
        if (depth == 0 && type == SEMICOLON) {
            bodies.separator();
        } else if (depth == 0 && type != END) {
            bodies.token(type == IDENT && tokenWord >= 0 ? known.keyword(tokenWord) : Keyword.NONE);
        }
    }

    private byte token(byte first, int start) {
        tokenEnd = start + 1;
        return switch (first) {
            case '(' -> {
                depth++;
                yield OPEN;
            }
            case ')' -> {
                depth = Math.max(0, depth - 1);
                yield CLOSE;
            }
            case '[' -> OPEN_BRACKET;
            case ']' -> CLOSE_BRACKET;
            case ',' -> COMMA;
            case ';' -> SEMICOLON;
            case ':' -> pair(start, ':') ? CAST : pair(start, '=') ? ASSIGN : COLON;
            case '.' -> TokenShapes.isDigit(peek(start + 1)) ? number(start) : pair(start, '.') ? DOT_DOT : DOT;
            case '\'' -> literal(start, backslashes ? TextDecoder.ESCAPES : TextDecoder.PLAIN);
            case '"' -> quoted(start, TextDecoder.PLAIN);
            case '$' -> dollar(start);
            case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number(start);
            default -> TokenShapes.isIdentifierStart(first) ? word(first, start) : operator(start);
        };
    }

    private byte number(int start) {
        tokenEnd = TokenShapes.numberEnd(text, start, limit);
        return NUMBER;
    }

    private byte operator(int start) {
        int end = TokenShapes.operatorEnd(text, start, limit);
        if (end == start) {
            return JUNK;
        }
        tokenEnd = end;
        return end - start == 2 && text[start] == '=' && text[start + 1] == '>' ? ARROW : OP;
    }

    private boolean pair(int start, char second) {
        if (peek(start + 1) == second) {
            tokenEnd = start + 2;
            return true;
        }
        return false;
    }

    private int peek(int at) {
        return at < limit ? text[at] : -1000;
    }

    private byte word(byte first, int start) {
        int next = peek(start + 1);
        if (next == '\'') {
            switch (first) {
                case 'e', 'E' -> {
                    return literal(start + 1, TextDecoder.ESCAPES);
                }
                case 'n', 'N' -> {
                    return literal(start + 1, backslashes ? TextDecoder.NATIONAL_ESCAPES : TextDecoder.NATIONAL);
                }
                case 'b', 'B', 'x', 'X' -> {
                    byte type = literal(start + 1, TextDecoder.PLAIN);
                    return type == STRING ? BITS : type;
                }
                default -> {}
            }
        } else if (next == '&' && (first == 'u' || first == 'U')) {
            if (peek(start + 2) == '\'') {
                return literal(start + 2, TextDecoder.UNICODE);
            }
            if (peek(start + 2) == '"') {
                return quoted(start + 2, TextDecoder.UNICODE);
            }
        }
        int at = start;
        int hash = 0;
        while (at < limit && TokenShapes.isIdentifierPart(text[at])) {
            hash = KnownNames.hashed(hash, KnownNames.folded(text[at]));
            at++;
        }
        tokenEnd = at;
        tokenWord = at - start > KnownNames.NAME_BYTES_MAX ? -1 : known.find(text, start, at, true, hash);
        return IDENT;
    }

    private byte quoted(int open, byte form) {
        for (int at = open + 1; at < limit; at++) {
            if (text[at] == '"') {
                if (peek(at + 1) != '"') {
                    tokenEnd = at + 1;
                    tokenForm = form;
                    if (form == TextDecoder.UNICODE) {
                        unicodeEscape();
                    } else {
                        tokenWord = known.find(text, open + 1, at, false);
                    }
                    return at == open + 1 ? JUNK : QUOTED;
                }
                at++;
            }
        }
        tokenEnd = limit;
        return JUNK;
    }

    private byte literal(int open, byte form) {
        tokenForm = form;
        boolean escapes = form == TextDecoder.ESCAPES || form == TextDecoder.NATIONAL_ESCAPES;
        int at = open + 1;
        while (at < limit) {
            byte b = text[at++];
            if (b == '\\' && escapes) {
                at++;
            } else if (b == '\'') {
                if (peek(at) == '\'') {
                    at++;
                } else {
                    tokenEnd = at;
                    at = TextDecoder.continuation(text, at, limit);
                    if (at < 0) {
                        if (form == TextDecoder.UNICODE) {
                            unicodeEscape();
                        }
                        return STRING;
                    }
                }
            }
        }
        tokenEnd = limit;
        return JUNK;
    }

    /** Takes {@code UESCAPE 'c'} into the token before it, as PostgreSQL's parser does. */
    private void unicodeEscape() {
        int end = tokenEnd;
        int keep = pos;
        pos = end;
        boolean found = skipBlank() && TextDecoder.isUescape(text, pos, limit);
        if (found) {
            pos += TextDecoder.UESCAPE_LENGTH;
            found = skipBlank()
                    && peek(pos) == '\''
                    && peek(pos + 2) == '\''
                    && peek(pos + 1) != '\''
                    && peek(pos + 3) != '\'';
        }
        if (found) {
            tokenEnd = pos + 3;
        }
        pos = keep;
    }

    private byte dollar(int start) {
        int at = start + 1;
        if (TokenShapes.isDigit(peek(at))) {
            while (TokenShapes.isDigit(peek(at))) {
                at++;
            }
            tokenEnd = at;
            return PARAM;
        }
        if (at < limit && TokenShapes.isIdentifierStart(text[at])) {
            while (at < limit && text[at] != '$' && TokenShapes.isIdentifierPart(text[at])) {
                at++;
            }
        }
        if (peek(at) != '$') {
            return JUNK;
        }
        int tagLength = at + 1 - start;
        int close = TextDecoder.indexOf(text, at + 1, limit, start, tagLength);
        tokenForm = TextDecoder.DOLLAR;
        tokenEnd = close < 0 ? limit : close + tagLength;
        return close < 0 ? JUNK : STRING;
    }

    /** False when a comment does not end. */
    private boolean skipBlank() {
        while (pos < limit) {
            byte b = text[pos];
            if (b == ' ' || (b >= '\t' && b <= '\r')) {
                pos++;
            } else if (b == '-' && peek(pos + 1) == '-') {
                pos = TextDecoder.lineEnd(text, pos, limit);
            } else if (b == '/' && peek(pos + 1) == '*') {
                int end = TextDecoder.commentEnd(text, pos, limit);
                if (end < 0) {
                    return false;
                }
                pos = end;
            } else {
                return true;
            }
        }
        return true;
    }
}
