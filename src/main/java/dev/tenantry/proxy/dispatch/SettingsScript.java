package dev.tenantry.proxy.dispatch;

import dev.tenantry.proxy.session.SessionSettings;
import dev.tenantry.proxy.session.SessionSettings.State;
import dev.tenantry.proxy.session.SessionSettings.Value;
import dev.tenantry.sql.SqlName;
import dev.tenantry.sql.StatementAction;
import dev.tenantry.wire.FrontendMessages;
import dev.tenantry.wire.FrontendType;
import io.netty.buffer.ByteBuf;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Messages that bring a backend from some settings to others, step by step, values by calls of
 * {@code set_config}, never pasted into SQL. Texts are in the encoding that the backend has at that point of the
 * messages.
 */
final class SettingsScript {
    /** Its oid in every version. A FunctionCall costs a node a fraction of what a query does that calls it. */
    private static final int SET_CONFIG = 2078;

    private static final byte[] LOCAL = {'t'};
    private static final byte[] SESSION = {'f'};
    private static final String ENCODING = "client_encoding";
    private static final String AUTHORIZATION = "session_authorization";
    private static final String ROLE = "role";
    private static final String DATE_STYLE = "datestyle";
    private static final String CONSTRAINTS = StatementAction.SetVariable.CONSTRAINTS;
    /** What must come first, because the values after it depend on it; {@code role} comes last. */
    private static final List<String> FIRST = List.of(ENCODING, AUTHORIZATION);

    private final ByteBuf out;
    private final SessionSettings settings;
    private State has;
    private Charset charset;
    private int ready;
    private boolean queried;

    /** Messages into this buffer, for a backend that has these settings. */
    SettingsScript(ByteBuf out, SessionSettings settings, State has) {
        this.out = out;
        this.settings = settings;
        this.has = has;
        this.charset = settings.charset(has);
    }

    /** The messages so far. */
    ByteBuf messages() {
        return out;
    }

    /**
     * Ends the messages. The unnamed statement goes, as it does with any query: the client could bind what another
     * one has left.
     *
     * @return how many ReadyForQuery answer them
     */
    int end() {
        if (!queried) {
            FrontendMessages.closeUnnamed(out);
            FrontendMessages.bodiless(out, FrontendType.SYNC);
            ready++;
        }
        return ready;
    }

    /** Runs a statement, one character a byte. */
    void run(String sql) {
        FrontendMessages.query(out, sql);
        queried = true;
        ready++;
    }

    /** Begins a transaction with the modes that are among these settings. */
    void begin(State first) {
        run(TransactionModes.begin(first));
        has = new State(has.session(), TransactionModes.of(first));
    }

    /** Brings the backend to these settings. */
    void bring(State wanted) {
        if (wanted == has) {
            return;
        }
        List<String> names = changed(wanted);
        if (names.stream().anyMatch(SessionSettings::isForSuperusers)) {
            bringAsSet(names, wanted);
            has = wanted;
            return;
        }
        boolean identity = names.contains(AUTHORIZATION) || names.contains(ROLE);
        boolean otherRole = identity && (isSet(has, ROLE) || isSet(wanted, ROLE));
        if (otherRole && isSet(has, ROLE)) {
            run("RESET " + ROLE); // what the session itself may change, its role may not be allowed to
        }
        for (String name : names) {
            if (!name.equals(ROLE)) {
                bring(name, wanted, false);
            }
        }
        if (otherRole) {
            bring(ROLE, wanted, true);
        }
        has = wanted;
    }

    /** The same where not every role may set what is to be set: each value as the role that has set it. */
    private void bringAsSet(List<String> names, State wanted) {
        resetIdentity(has);
        String role = null;
        Comparator<String> byRole = Comparator.comparing(name -> Objects.toString(setBy(name, wanted), ""));
        for (String name : names.stream().sorted(byRole).toList()) { // stable: the encoding stays the first
            if (name.equals(ROLE) || name.equals(AUTHORIZATION)) {
                continue;
            }
            String by = setBy(name, wanted);
            if (by != null && !by.equals(role)) {
                set(ROLE, new Value(by, null), SESSION);
                role = by;
            }
            bring(name, wanted, false);
        }
        if (role != null) {
            run("RESET " + ROLE);
        }
        bring(AUTHORIZATION, wanted, true);
        bring(ROLE, wanted, true);
    }

    private void resetIdentity(State from) {
        if (isSet(from, ROLE)) {
            run("RESET " + ROLE);
        }
        if (isSet(from, AUTHORIZATION)) {
            run("RESET " + AUTHORIZATION);
        }
    }

    /** The role that must be had to set a value, or to take it back; null for the one that a new connection has. */
    private @Nullable String setBy(String name, State wanted) {
        for (State state : List.of(wanted, has)) {
            Value local = state.local().get(name);
            Value value = local == null ? state.session().get(name) : local;
            if (value != null) {
                return value.setBy();
            }
        }
        return null;
    }

    private static boolean isSet(State state, String name) {
        return state.session().containsKey(name) || state.local().containsKey(name);
    }

    /** The names whose values differ, in the order in which they can be set. */
    private List<String> changed(State wanted) {
        Set<String> all = new HashSet<>(wanted.session().keySet());
        all.addAll(wanted.local().keySet());
        all.addAll(has.session().keySet());
        all.addAll(has.local().keySet());
        List<String> names = new ArrayList<>();
        for (String name : all) {
            if (differs(has.session(), wanted.session(), name) || differs(has.local(), wanted.local(), name)) {
                names.add(name);
            }
        }
        names.sort(Comparator.comparingInt(SettingsScript::rank).thenComparing(Comparator.naturalOrder()));
        return names;
    }

    private static boolean differs(Map<String, Value> one, Map<String, Value> other, String name) {
        Value value = one.get(name);
        return value == null ? other.containsKey(name) : !value.equals(other.get(name));
    }

    private static int rank(String name) {
        int first = FIRST.indexOf(name);
        return first >= 0 ? first : FIRST.size();
    }

    private void bring(String name, State wanted, boolean again) {
        Value session = wanted.session().get(name);
        Value local = wanted.local().get(name);
        boolean hidden = local == null && has.local().containsKey(name);
        boolean anew = again || hidden || differs(has.session(), wanted.session(), name);
        if (SessionSettings.isMode(name)) {
            mode(name, local);
            return;
        }
        if (name.equals(CONSTRAINTS)) {
            constraints(local);
            return;
        }
        if (anew && session != null) {
            set(name, session, SESSION);
        } else if (anew && !again) {
            run("RESET " + quoted(name));
        }
        if (local != null) {
            setLocal(name, local);
        }
        if (name.equals(ENCODING)) {
            charset = settings.charset(wanted);
        }
    }

    /** A call of set_config has a snapshot already, and then it is too late for some modes. */
    private void mode(String name, @Nullable Value local) {
        if (local != null && local.text() != null) {
            run("SET LOCAL " + name + " TO " + SqlName.literal(local.text()));
        }
    }

    /** Nothing takes it back but the end of the transaction or ROLLBACK TO, which the node knows itself. */
    private void constraints(@Nullable Value local) {
        if (local != null) {
            run(String.valueOf(local.statement()));
        }
    }

    private void setLocal(String name, Value value) {
        if (value.equals(Value.DEFAULT)) {
            run("SET LOCAL " + quoted(name) + " TO DEFAULT");
        } else {
            set(name, value, LOCAL);
        }
    }

    private void set(String name, Value value, byte[] scope) {
        if (value.text() == null) {
            run(String.valueOf(value.statement()));
            return;
        }
        if (name.equals(DATE_STYLE) && scope == SESSION) {
            run("RESET " + DATE_STYLE); // a value may be half of one, to which the other half is the default's
        }
        FrontendMessages.functionCall(
                out, SET_CONFIG, name.getBytes(charset), value.text().getBytes(charset), scope);
        ready++;
    }

    private String quoted(String name) {
        return new String(SqlName.quoted(name).getBytes(charset), StandardCharsets.ISO_8859_1);
    }
}
