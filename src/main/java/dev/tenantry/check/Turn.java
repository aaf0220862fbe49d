package dev.tenantry.check;

import java.util.List;
import java.util.stream.Collectors;

/** What a client does next. */
sealed interface Turn {

    /** Whether what is said may be a transaction's end, so that its loss leaves unknown what became of it. */
    default boolean ends() {
        return false;
    }

    /** Statements in one string, which may end with the data of a COPY from the client. */
    record Text(List<Step> steps, Copy copy) implements Turn {
        public Text {
            steps = List.copyOf(steps);
        }

        /** Without data. */
        static Text of(Step... steps) {
            return new Text(List.of(steps), new Copy("", false));
        }

        @Override
        public boolean ends() {
            return steps.stream().anyMatch(Step::endsFailure);
        }

        @Override
        public String toString() {
            return steps.stream().map(Step::sql).collect(Collectors.joining("; ")) + copy;
        }
    }

    /** Data of a COPY, none if empty; given up at its end or not. */
    record Copy(String data, boolean fails) {
        boolean isNone() {
            return data.isEmpty();
        }

        @Override
        public String toString() {
            return isNone() ? "" : " <- " + data.strip().replace("\n", " ") + (fails ? " CopyFail" : " CopyDone");
        }
    }

    /** Statements in one batch, each parsed without a name. */
    record Batch(List<Step> steps) implements Turn {
        public Batch {
            steps = List.copyOf(steps);
        }

        @Override
        public boolean ends() {
            return steps.stream().anyMatch(Step::endsFailure);
        }

        @Override
        public String toString() {
            return "batch: " + steps.stream().map(Step::sql).collect(Collectors.joining("; "));
        }
    }

    /** Parse of a named statement, and its execution. */
    record ParseNamed(String name, Step step) implements Turn {
        @Override
        public String toString() {
            return "Parse, Bind, Execute " + name + ": " + step.sql();
        }
    }

    /** Execution of a named statement. */
    record BindNamed(String name) implements Turn {
        @Override
        public String toString() {
            return "Bind, Execute " + name;
        }
    }

    /** A statement that would last long is cancelled after a while. */
    record Cancel(int afterMillis) implements Turn {}

    /** The session ends, politely or not, perhaps in the middle of a statement; the next one may begin with a path. */
    record Reconnect(boolean politely, boolean busy, List<String> path) implements Turn {}
}
