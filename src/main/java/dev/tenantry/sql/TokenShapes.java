package dev.tenantry.sql;

/** Where numbers and operators end, and which bytes begin and continue an identifier. */
final class TokenShapes {

    private TokenShapes() {}

    private static int peek(byte[] text, int limit, int at) {
        return at < limit ? text[at] : -1000;
    }

    static int numberEnd(byte[] text, int start, int limit) {
        int at = start;
        int prefix = text[at] == '0' ? peek(text, limit, at + 1) | 0x20 : 0;
        if (prefix == 'x' || prefix == 'o' || prefix == 'b') {
            at = digits(text, start + 2, limit, prefix);
            if (at > start + 2) {
                return at;
            }
            at = start;
        }
        at = digits(text, at, limit, 0);
        if (peek(text, limit, at) == '.' && peek(text, limit, at + 1) != '.') {
            at = isDigit(peek(text, limit, at + 1)) ? digits(text, at + 1, limit, 0) : at + 1;
        }
        if ((peek(text, limit, at) | 0x20) == 'e') {
            int sign = peek(text, limit, at + 1) == '-' || peek(text, limit, at + 1) == '+' ? 1 : 0;
            if (isDigit(peek(text, limit, at + 1 + sign))) {
                at = digits(text, at + 1 + sign, limit, 0);
            }
        }
        return at;
    }

    private static int digits(byte[] text, int from, int limit, int prefix) {
        int at = from;
        while (true) {
            int underscore = peek(text, limit, at) == '_' && (at > from || prefix != 0) ? 1 : 0;
            if (!isDigitOf(peek(text, limit, at + underscore), prefix)) {
                return at;
            }
            at += underscore + 1;
        }
    }

    private static boolean isDigitOf(int b, int prefix) {
        return switch (prefix) {
            case 'x' -> isDigit(b) || ((b | 0x20) >= 'a' && (b | 0x20) <= 'f');
            case 'o' -> b >= '0' && b <= '7';
            case 'b' -> b == '0' || b == '1';
            default -> isDigit(b);
        };
    }

    static int operatorEnd(byte[] text, int start, int limit) {
        int at = start;
        while (at < limit && isOperatorByte(text[at])) {
            if (at > start && ((text[at] == '*' && text[at - 1] == '/') || (text[at] == '-' && text[at - 1] == '-'))) {
                at--;
                break;
            }
            at++;
        }
        if (at - start > 1 && (text[at - 1] == '+' || text[at - 1] == '-')) {
            at = withoutSigns(text, start, at);
        }
        return at;
    }

    /** An operator ends in a sign only when it has a character that the SQL standard's operators do not have. */
    private static int withoutSigns(byte[] text, int start, int end) {
        for (int i = start; i < end - 1; i++) {
            if ("~!@#^&|`?%".indexOf(text[i]) >= 0) {
                return end;
            }
        }
        int at = end;
        while (at - start > 1 && (text[at - 1] == '+' || text[at - 1] == '-')) {
            at--;
        }
        return at;
    }

    static boolean isDigit(int b) {
        return b >= '0' && b <= '9';
    }

    static boolean isIdentifierStart(byte b) {
        return b < 0 || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b == '_';
    }

    static boolean isIdentifierPart(byte b) {
        return isIdentifierStart(b) || (b >= '0' && b <= '9') || b == '$';
    }

    private static boolean isOperatorByte(byte b) {
        return switch (b) {
            case '~', '!', '@', '#', '^', '&', '|', '`', '?', '+', '-', '*', '/', '%', '<', '>', '=' -> true;
            default -> false;
        };
    }
}
