package dev.tenantry.proxy.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenantry.proxy.session.SessionSettings.Value;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SessionSettingsTest {
    private final SessionSettings settings = new SessionSettings(Map.of("search_path", "started, public"), Map.of());

    @Test
    void beginsWithWhatTheClientAskedForAtStartup() {
        assertThat(settings.searchPath()).containsExactly("started", "public");
    }

    @Test
    void keepsSetBeyondCommit() {
        set("a");
        settings.end(true);
        assertThat(settings.searchPath()).containsExactly("a");
        assertThat(settings.committed()).containsKey("search_path");
    }

    @Test
    void undoesSetWhenRolledBack() {
        set("a");
        settings.end(true);
        set("b");
        settings.end(false);
        assertThat(settings.searchPath()).containsExactly("a");
    }

    @Test
    void endsSetLocalWithTheTransaction() {
        settings.set("search_path", new Value("b", null), true);
        assertThat(settings.searchPath()).containsExactly("b");
        settings.end(true);
        assertThat(settings.searchPath()).containsExactly("started", "public");
    }

    @Test
    void goesBackToASavepoint() {
        set("a");
        settings.savepoint("s");
        set("b");
        settings.savepoint("inner");
        set("c");
        settings.rollbackTo("s");
        assertThat(settings.searchPath()).containsExactly("a");
        settings.rollbackTo("s");
        settings.end(true);
        assertThat(settings.searchPath()).containsExactly("a");
    }

    @Test
    void keepsWhatCameAfterAReleasedSavepoint() {
        settings.savepoint("s");
        set("b");
        settings.release("s");
        settings.rollbackTo("s");
        assertThat(settings.searchPath()).containsExactly("b");
    }

    @Test
    void resetsToTheStartupValue() {
        set("a");
        settings.reset("search_path");
        assertThat(settings.searchPath()).containsExactly("started", "public");
    }

    @Test
    void keepsTheIdentityInResetAllAndDropsItInDiscardAll() {
        settings.set("role", new Value("joe", null), false);
        set("a");
        settings.resetAll();
        assertThat(settings.effective("role")).isEqualTo("joe");
        assertThat(settings.searchPath()).containsExactly("started", "public");
        settings.discardAll();
        assertThat(settings.effective("role")).isNull();
    }

    @Test
    void keepsALocalIdentityInResetAll() {
        settings.set("role", new Value("joe", null), true);
        settings.set("work_mem", new Value("1MB", null), true);
        settings.resetAll();
        assertThat(settings.current().local()).containsOnlyKeys("role");
    }

    @Test
    void takesOnlyModesAlongToAChainedTransaction() {
        settings.set("transaction_isolation", new Value("serializable", null), false);
        settings.set("search_path", new Value("b", null), true);
        settings.chain(true);
        assertThat(settings.current().local()).containsOnlyKeys("transaction_isolation");
        settings.forgetModes();
        settings.chain(false);
        assertThat(settings.current().local()).isEmpty();
    }

    @Test
    void returnsFromALocalDefault() {
        set("a");
        settings.end(true);
        settings.set("search_path", Value.DEFAULT, true);
        assertThat(settings.searchPath()).containsExactly("started", "public");
        settings.end(true);
        assertThat(settings.searchPath()).containsExactly("a");
    }

    @Test
    void comparesNamesExactly() {
        settings.set("search_path", new Value("\"Acme\", acme, \"$user\"", null), false);
        assertThat(settings.searchPath()).containsExactly("Acme", "acme", "$user");
    }

    @Test
    void knowsABackendByItsLabel() {
        assertThat(settings.isLabel(null)).isTrue();
        set("a");
        assertThat(settings.isLabel(null)).as("not committed yet").isTrue();
        settings.end(true);
        assertThat(settings.isLabel(null)).isFalse();
        assertThat(settings.isLabel(settings.session())).isTrue();
        settings.reset("search_path");
        settings.end(true);
        assertThat(settings.isLabel(null)).isTrue();
    }

    @Test
    void believesTheServerAboutTheSearchPath() {
        settings.observedSearchPath("started, public");
        int version = settings.version();
        settings.observedSearchPath("started,  public");
        assertThat(settings.version()).isEqualTo(version);
        settings.observedSearchPath("other");
        assertThat(settings.searchPath()).containsExactly("other");
    }

    private void set(String path) {
        settings.set("search_path", new Value(path, null), false);
    }

    @Test
    void goesBackToWhatItBeganWith() {
        SessionSettings begun = new SessionSettings(Map.of(), Map.of("work_mem", "9MB", "search_path", "begun"));
        Map<String, SessionSettings.Value> first = begun.session();
        assertThat(begun.effective("work_mem")).isEqualTo("9MB");
        assertThat(begun.searchPath()).containsExactly("begun");
        begun.set("work_mem", new SessionSettings.Value("11MB", null), false);
        begun.set("jit", new SessionSettings.Value("off", null), false);
        begun.reset("work_mem");
        assertThat(begun.effective("work_mem")).isEqualTo("9MB");
        begun.set("work_mem", SessionSettings.Value.DEFAULT, true);
        assertThat(begun.current().local()).containsEntry("work_mem", first.get("work_mem"));
        begun.resetAll();
        assertThat(begun.session()).isEqualTo(first);
        begun.set("role", new SessionSettings.Value("other", null), false);
        begun.resetAll();
        assertThat(begun.session()).containsKeys("role", "work_mem", "search_path");
        begun.discardAll();
        assertThat(begun.session()).isSameAs(first);
    }

    @Test
    void knowsBothPartsOfTheDateStyle() {
        SessionSettings begun = new SessionSettings(Map.of(), Map.of("datestyle", "ISO"));
        begun.observedDateStyle("ISO, MDY");
        assertThat(begun.effective("datestyle")).isEqualTo("ISO"); // to every session that begins with it
        begun.set("datestyle", new SessionSettings.Value("dmy", null), false);
        begun.observedDateStyle("ISO, DMY");
        assertThat(begun.session().get("datestyle")).isEqualTo(new SessionSettings.Value("ISO, DMY", null));
        begun.set("datestyle", new SessionSettings.Value("sql", null), true);
        begun.observedDateStyle("SQL, DMY");
        assertThat(begun.current().local().get("datestyle")).isEqualTo(new SessionSettings.Value("SQL, DMY", null));
        assertThat(begun.session().get("datestyle")).isEqualTo(new SessionSettings.Value("ISO, DMY", null));
    }
}
