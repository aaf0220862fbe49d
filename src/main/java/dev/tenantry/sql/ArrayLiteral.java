package dev.tenantry.sql;

import java.util.ArrayList;
import java.util.List;

/** The text of an array as PostgreSQL reads it ("Array Input and Output Syntax"), with braces as its delimiters. */
final class ArrayLiteral {
    private final String text;
    private final List<String> elements = new ArrayList<>();
    private int at;

    private ArrayLiteral(String text) {
        this.text = text;
    }

    /**
     * The elements of all dimensions but NULL, in their order, as they are: nothing is folded. Empty when the text is
     * no array, so that PostgreSQL refuses it.
     */
    static List<String> elements(String text) {
        ArrayLiteral array = new ArrayLiteral(text);
        return array.read() ? List.copyOf(array.elements) : List.of();
    }

    private boolean read() {
        int depth = 0;
        boolean elementDue = true;
        while (true) {
            skipBlanks();
            if (at == text.length()) {
                return false;
            }
            char c = text.charAt(at);
            if (c == '{' && elementDue) {
                depth++;
                at++;
            } else if (c == '}' && depth > 0 && (!elementDue || isAfterBrace())) {
                depth--;
                at++;
                elementDue = false;
                if (depth == 0) {
                    skipBlanks();
                    return at == text.length();
                }
            } else if (c == ',' && !elementDue) {
                at++;
                elementDue = true;
            } else if (depth > 0 && elementDue && c != ',' && c != '}' && element()) {
                elementDue = false;
            } else {
                return false;
            }
        }
    }

    /** Whether what closes here has nothing in it. */
    private boolean isAfterBrace() {
        int before = at - 1;
        while (isBlank(text.charAt(before))) {
            before--;
        }
        return text.charAt(before) == '{';
    }

    private boolean element() {
        return text.charAt(at) == '"' ? quoted() : plain();
    }

    private boolean quoted() {
        StringBuilder element = new StringBuilder();
        for (at++; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"') {
                at++;
                elements.add(element.toString());
                return true;
            }
            if (c == '\\') {
                at++;
                if (at == text.length()) {
                    return false;
                }
                c = text.charAt(at);
            }
            element.append(c);
        }
        return false;
    }

    /** Blanks inside count, those at its end do not; what has a backslash is never NULL. */
    private boolean plain() {
        StringBuilder element = new StringBuilder();
        int end = 0;
        boolean escaped = false;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == ',' || c == '}') {
                element.setLength(end);
                if (escaped || !element.toString().equalsIgnoreCase("null")) {
                    elements.add(element.toString());
                }
                return true;
            }
            if (c == '"' || c == '{') {
                return false;
            }
            boolean literal = c == '\\';
            if (literal) {
                at++;
                if (at == text.length()) {
                    return false;
                }
                c = text.charAt(at);
                escaped = true;
            }
            element.append(c);
            end = literal || !isBlank(c) ? element.length() : end;
        }
        return false;
    }

    private void skipBlanks() {
        while (at < text.length() && isBlank(text.charAt(at))) {
            at++;
        }
    }

    private static boolean isBlank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
    }
}
