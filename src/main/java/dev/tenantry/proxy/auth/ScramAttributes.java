package dev.tenantry.proxy.auth;

import dev.tenantry.wire.ProtocolViolation;
import java.util.Base64;

/**
 * Reads a SCRAM message attribute by attribute. A message is text with a character for each byte, so that what is
 * signed is what was sent. Faults are told in PostgreSQL's words.
 */
final class ScramAttributes {

    private final String message;
    private int position;

    ScramAttributes(String message) {
        this.message = message;
    }

    /** Where the next attribute begins. */
    int position() {
        return position;
    }

    boolean atEnd() {
        return position == message.length();
    }

    /** The next character, or zero at the end. */
    char peek() {
        return atEnd() ? '\0' : message.charAt(position);
    }

    void skip() {
        position++;
    }

    /** What is left of the message. */
    String rest() {
        return message.substring(position);
    }

    /** Reads the comma that must come next. */
    void comma() {
        if (peek() != ',') {
            throw malformed("Comma expected, but found character \"" + sanitized(peek()) + "\".");
        }
        position++;
    }

    /** Reads the value of the attribute that must come next. */
    String value(char attribute) {
        if (peek() != attribute) {
            throw malformed("Expected attribute \"" + attribute + "\" but found \"" + sanitized(peek()) + "\".");
        }
        position++;
        return valueAfterName(attribute);
    }

    /** Reads an attribute of any name. */
    Attribute any() {
        if (atEnd()) {
            throw malformed("Attribute expected, but found end of string.");
        }
        char name = peek();
        if (!((name >= 'A' && name <= 'Z') || (name >= 'a' && name <= 'z'))) {
            throw malformed("Attribute expected, but found invalid character \"" + sanitized(name) + "\".");
        }
        position++;
        return new Attribute(name, valueAfterName(name));
    }

    private String valueAfterName(char attribute) {
        if (peek() != '=') {
            throw malformed("Expected character \"=\" for attribute \"" + attribute + "\".");
        }
        position++;
        int comma = message.indexOf(',', position);
        int end = comma < 0 ? message.length() : comma;
        String value = message.substring(position, end);
        position = comma < 0 ? end : comma + 1;
        return value;
    }

    /** The bytes of a value in base 64; empty if it is not that. */
    static byte[] decoded(String value) {
        try {
            return Base64.getDecoder().decode(value);
        } catch (IllegalArgumentException notBase64) {
            return new byte[0];
        }
    }

    static ProtocolViolation malformed(String detail) {
        return ProtocolViolation.of("malformed SCRAM message").withDetail(detail);
    }

    /** A character as it can be shown in a message. */
    static String sanitized(char c) {
        return c >= 0x21 && c <= 0x7E ? "'" + c + "'" : String.format("0x%02x", (int) c);
    }

    /** A text with a question mark for what can't be shown. */
    static String sanitized(String text) {
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), 30); i++) {
            char c = text.charAt(i);
            shown.append(c >= 0x21 && c <= 0x7E ? c : '?');
        }
        return shown.toString();
    }

    record Attribute(char name, String value) {}
}
