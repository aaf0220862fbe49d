package dev.tenantry.sql;

/** The pieces that definitions are made of: names of objects, types, argument lists, expressions up to a comma. */
final class NameReader {

    final Lexer t;
    final Findings f;
    final QueryWalker queries;

    NameReader(Lexer lexer, Findings findings, QueryWalker walker) {
        t = lexer;
        f = findings;
        queries = walker;
    }

    boolean atEnd() {
        return t.type(0) == Lexer.END;
    }

    /** Goes over the keyword when it is there. */
    boolean optional(Keyword keyword) {
        boolean there = t.is(0, keyword);
        if (there) {
            t.advance();
        }
        return there;
    }

    /** {@code IF EXISTS} or {@code IF NOT EXISTS}. */
    void ifExists() {
        if (t.is(0, Keyword.IF) && t.is(1, Keyword.NOT) && t.is(2, Keyword.EXISTS)) {
            t.advance(3);
        } else if (t.is(0, Keyword.IF) && t.is(1, Keyword.EXISTS)) {
            t.advance(2);
        }
    }

    /** A relation, with ONLY, parentheses and star. */
    void relation() {
        boolean only = t.is(0, Keyword.ONLY);
        if (only) {
            t.advance();
        }
        boolean parenthesis = only && t.type(0) == Lexer.OPEN;
        if (parenthesis) {
            t.advance();
        }
        if (t.isLabel(0)) {
            int parts = chain();
            f.target(parts);
            t.advance(2 * parts - 1);
        }
        if (parenthesis && t.type(0) == Lexer.CLOSE) {
            t.advance();
        }
        if (t.isOperator(0, '*')) {
            t.advance();
        }
    }

    void relations() {
        relation();
        while (t.type(0) == Lexer.COMMA) {
            t.advance();
            relation();
        }
    }

    /** An object of another kind: a type, a collation, a statistics object ... */
    void object() {
        if (t.isLabel(0)) {
            int parts = chain();
            f.object(parts);
            t.advance(2 * parts - 1);
        }
    }

    void objects() {
        object();
        while (t.type(0) == Lexer.COMMA) {
            t.advance();
            object();
        }
    }

    /** A name that counts only with a schema: operator classes, support functions, values of definitions. */
    void reference() {
        if (t.isLabel(0)) {
            int parts = chain();
            if (parts > 1) {
                f.object(parts);
            }
            t.advance(2 * parts - 1);
        }
    }

    /** A function that a definition names, without its arguments. */
    void function() {
        if (t.isLabel(0)) {
            int parts = chain();
            f.function(parts);
            t.advance(2 * parts - 1);
        }
    }

    /** {@code schema.+}, as a statement's object when {@code own}; without own only its schema counts. */
    void operator(boolean own) {
        int parts = 0;
        while (t.isLabel(2 * parts) && t.type(2 * parts + 1) == Lexer.DOT && parts < 4) {
            parts++;
        }
        if (parts > 0) {
            f.schema(t.name(2 * (parts - 1)));
        } else if (own) {
            f.unqualified(Findings.Literal.OTHER);
        }
        t.advance(2 * parts + 1);
    }

    void type() {
        queries.type();
    }

    int chain() {
        return queries.chain();
    }

    /** Skips one parenthesis with all that is nested in it, when the current token opens it. */
    void skipParenthesis() {
        if (t.type(0) == Lexer.OPEN) {
            queries.runParenthesis(Levels.SKIPPED);
        }
    }

    /** Reads one parenthesis as expressions. */
    void expressionParenthesis() {
        if (t.type(0) == Lexer.OPEN) {
            queries.runParenthesis(Levels.QUERY_OR_EXPRESSION);
        }
    }

    /** Expressions up to a comma, a closing parenthesis or the end. */
    void restOfElement() {
        while (!elementEnds()) {
            step();
        }
    }

    boolean elementEnds() {
        return switch (t.type(0)) {
            case Lexer.COMMA, Lexer.CLOSE, Lexer.END, Lexer.SEMICOLON -> true;
            default -> false;
        };
    }

    /** One token of a definition, or one name or parenthesis of an expression in it. */
    void step() {
        if (t.is(0, Keyword.OPTIONS) && t.type(1) == Lexer.OPEN) {
            t.advance();
            skipParenthesis();
        } else {
            queries.runExpressionStep();
        }
    }

    void restOfStatement() {
        while (!atEnd()) {
            step();
        }
    }

    // --- types and arguments ----------------------------------------------------------------------------------------

    /** {@code (type, type)}. */
    void typeParenthesis() {
        if (t.type(0) != Lexer.OPEN) {
            return;
        }
        t.advance();
        while (t.type(0) != Lexer.CLOSE && !atEnd()) {
            if (t.type(0) == Lexer.COMMA) {
                t.advance();
            } else {
                type();
                restOfElement();
                stray();
            }
        }
        t.advance();
    }

    /** Goes over a token that nobody has taken, so that a malformed list ends too. */
    private void stray() {
        if (t.type(0) == Lexer.SEMICOLON) {
            t.advance();
        }
    }

    /** The arguments of a function or aggregate, in its definition or where it is named. */
    void arguments() {
        if (t.type(0) != Lexer.OPEN) {
            return;
        }
        t.advance();
        while (t.type(0) != Lexer.CLOSE && !atEnd()) {
            if (t.type(0) == Lexer.COMMA || t.isOperator(0, '*')) {
                t.advance();
            } else if (t.is(0, Keyword.ORDER) && t.is(1, Keyword.BY)) {
                t.advance(2);
            } else {
                argument();
                stray();
            }
        }
        t.advance();
    }

    private void argument() {
        modes();
        boolean typeWord = (t.type(0) == Lexer.IDENT && (t.flags(0) & KnownNames.COLUMN_NAME) != 0)
                || (t.is(0, Keyword.DOUBLE) && t.is(1, Keyword.PRECISION));
        if (!typeWord && t.isLabel(0) && startsTypeOrMode(1)) {
            t.advance();
            modes();
        }
        type();
        while (!elementEnds() && !(t.is(0, Keyword.ORDER) && t.is(1, Keyword.BY))) {
            step();
        }
    }

    private void modes() {
        while (isMode(0)) {
            t.advance();
        }
    }

    private boolean isMode(int k) {
        return switch (t.keyword(k)) {
            case IN, OUT, INOUT, VARIADIC -> t.type(k + 1) != Lexer.COMMA && t.type(k + 1) != Lexer.CLOSE;
            default -> false;
        };
    }

    private boolean startsTypeOrMode(int k) {
        return switch (t.keyword(k)) {
            case IN, VARIADIC -> true;
            case DEFAULT, ARRAY, ORDER -> false;
            default -> t.isLabel(k);
        };
    }

    /** {@code (name type, name type)}, as in RETURNS TABLE or CREATE TYPE ... AS. */
    void columns() {
        if (t.type(0) == Lexer.OPEN) {
            queries.runParenthesis(Levels.COLUMN);
        }
    }

    /** Functions, procedures or aggregates with their arguments, separated by commas. */
    void routines() {
        routine();
        while (t.type(0) == Lexer.COMMA) {
            t.advance();
            routine();
        }
    }

    void routine() {
        object();
        arguments();
    }

    /** {@code (name = value, name = value)}: values that have a schema count. */
    void definitionList() {
        if (t.type(0) != Lexer.OPEN) {
            return;
        }
        int depth = 0;
        do {
            if (t.type(0) == Lexer.OPEN) {
                depth++;
                t.advance();
            } else if (t.type(0) == Lexer.CLOSE) {
                depth--;
                t.advance();
            } else if (t.is(0, Keyword.OPERATOR) && t.type(1) == Lexer.OPEN) {
                t.advance(2);
                operator(false);
            } else if (t.isOperator(0, '=')) {
                t.advance();
                optional(Keyword.SETOF);
                definitionValue();
            } else {
                t.advance();
            }
        } while (depth > 0 && !atEnd());
    }

    private void definitionValue() {
        int parts = 0;
        while (t.isLabel(2 * parts) && t.type(2 * parts + 1) == Lexer.DOT) {
            parts++;
            if (parts == 4) {
                break;
            }
        }
        boolean operator = parts > 0 && t.type(2 * parts) == Lexer.OP;
        if (operator) {
            operator(false);
        } else if (!t.is(0, Keyword.OPERATOR)) {
            reference();
        }
    }
}
