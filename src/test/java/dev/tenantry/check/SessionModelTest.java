package dev.tenantry.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.client.Answer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The rules that {@link IsolationCheckIT} compares with a server, where they are easily got wrong. */
class SessionModelTest {
    private static final Step BEGIN = Step.of("", session -> session.begin(false));
    private static final Step COMMIT = Step.ending("", session -> session.commit(""));
    private static final Step ROLLBACK = Step.ending("", session -> session.rollback(""));
    private static final Step FAIL = Step.of("", session -> Answer.error("22012"));
    private static final Step WHO = Step.of("", session -> session.whoAmI(Optional.empty()));
    private static final Step ADD = Step.of("", session -> session.add(Optional.empty(), 1));

    private final SessionModel session = new SessionModel(List.of("a", "b"), Map.of("search_path", "a"));

    @Test
    void forgetsLocalSettingAtTheEndAndKeepsTheOtherBelowIt() {
        session.run(BEGIN);
        session.run(path("b", false));
        session.run(path("a", true));
        assertThat(session.run(WHO).rows()).containsExactly(List.of("a"));
        session.run(COMMIT);
        assertThat(session.run(WHO).rows()).containsExactly(List.of("b"));
    }

    @Test
    void undoesSettingsAndRowsAtRollbackButNotPreparedStatements() {
        session.run(BEGIN);
        session.run(path("b", false));
        session.run(ADD);
        session.run(Step.of("", it -> it.prepare("p", WHO)));
        session.run(ROLLBACK);
        assertThat(session.run(Step.of("", it -> it.execute("p"))).rows()).containsExactly(List.of("a"));
        assertThat(session.state().numbers()).containsEntry("b", 0L);
    }

    @Test
    void bringsBackWhatASavepointHad() {
        session.run(BEGIN);
        session.run(Step.of("", it -> it.savepoint("s")));
        session.run(path("b", false));
        session.run(ADD);
        session.run(FAIL);
        assertThat(session.status()).isEqualTo('E');
        assertThat(session.run(WHO).tag()).isEqualTo("25P02");
        session.run(Step.ending("", it -> it.rollbackTo("s")));
        assertThat(session.status()).isEqualTo('T');
        assertThat(session.run(WHO).rows()).containsExactly(List.of("a"));
        session.run(COMMIT);
        assertThat(session.state().numbers()).containsEntry("b", 0L);
    }

    @Test
    void takesStatementsOfOneStringForATransaction() {
        assertThat(session.runTogether(List.of(path("b", true), WHO)).getLast().rows())
                .containsExactly(List.of("b"));
        assertThat(session.run(WHO).rows()).containsExactly(List.of("a"));
        assertThat(session.runTogether(List.of(ADD, path("b", false), FAIL, ADD)))
                .hasSize(3);
        assertThat(session.state().numbers()).containsEntry("a", 0L);
        assertThat(session.run(WHO).rows()).containsExactly(List.of("a"));
        assertThat(session.status()).isEqualTo('I');
    }

    private static Step path(String value, boolean local) {
        return Step.of("", session -> session.set("search_path", value, local));
    }
}
