package dev.tenantry.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ScreenTest {

    private final StringBuilder text = new StringBuilder();
    private final StringBuilder errors = new StringBuilder();

    @Test
    void changesTheLastLineOfATerminal() {
        Screen screen = new Screen(text::append, errors::append, true);
        screen.progress("one", "-");
        screen.progress("one", "-");
        screen.progress("two", "-");
        screen.result("done");
        assertThat(text).hasToString("\r\u001b[Kone\r\u001b[Ktwo\r\u001b[Kdone\n");
    }

    @Test
    void givesAPipeALineForWhatHasHappened() {
        Screen screen = new Screen(text::append, errors::append, false);
        screen.progress("1 %", "copying");
        screen.progress("2 %", "copying");
        screen.progress("3 %", "building");
        screen.problem("failed");
        assertThat(text).hasToString("copying\nbuilding\n");
        assertThat(errors).hasToString("failed");
    }
}
