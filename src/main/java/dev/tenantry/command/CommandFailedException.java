package dev.tenantry.command;

/** What was asked for can't be, or has failed; the message says why. */
final class CommandFailedException extends Exception {

    private static final long serialVersionUID = 1L;

    CommandFailedException(String sentence) {
        super(sentence);
    }
}
