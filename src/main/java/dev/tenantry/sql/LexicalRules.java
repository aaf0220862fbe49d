package dev.tenantry.sql;

import java.nio.charset.Charset;

/**
 * The session settings that change how text is cut into tokens ("Lexical Structure" of the PostgreSQL manual).
 *
 * @param standardConformingStrings whether a backslash in {@code '...'} is an ordinary character
 * @param charset the client encoding; must be a superset of ASCII whose multi-byte characters contain no ASCII bytes
 */
public record LexicalRules(boolean standardConformingStrings, Charset charset) {

    /** What a session has that did not ask for anything else. */
    public static final LexicalRules DEFAULT = new LexicalRules(true, java.nio.charset.StandardCharsets.UTF_8);
}
