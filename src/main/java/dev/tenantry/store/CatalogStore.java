package dev.tenantry.store;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;

/** Changes the catalog over one connection to the coordinator; every change makes a new version and notifies. */
public final class CatalogStore {

    private final ServerConnection connection;

    /** Uses a connection that the caller opened and will close. */
    public CatalogStore(ServerConnection connection) {
        this.connection = connection;
    }

    /** Keeps the scripts where {@code citus_add_node} finds them; whether something else was installed until now. */
    public boolean keepScripts(String check, String install) {
        connection.query(CatalogSql.PUT_SCRIPT, "check", check);
        return connection.query(CatalogSql.PUT_SCRIPT, "install", install).rowCount() > 0;
    }

    /** What tells the script that installs from others. */
    public String installed() {
        return connection
                .query("SELECT md5(tenantry.node_script('install'))")
                .iterator()
                .next()
                .getString(0);
    }

    /** The node ids of all workers that take part. */
    public List<Integer> workers() {
        List<Integer> nodeIds = new ArrayList<>();
        connection
                .query("SELECT nodeid FROM tenantry.node WHERE groupid <> 0 AND isactive ORDER BY nodeid")
                .forEach(row -> nodeIds.add(row.getInteger(0)));
        return nodeIds;
    }

    /** Installs on the coordinator what every node has, and notes where it is and how to sign in at the others. */
    public void prepareCoordinator() {
        CoordinatorAddress coordinator = connection.address();
        connection.query(
                "SELECT tenantry.set_node_login($1, $2, $3)",
                coordinator.user(),
                coordinator.password(),
                coordinator.tls().mode().word());
        connection.query("SELECT tenantry.prepare_coordinator($1, $2)", coordinator.host(), coordinator.port());
    }

    /** The worker of that id, or else the one at that address. */
    public OptionalInt findNode(int nodeId, String host, int port) {
        RowSet<Row> found = connection.query("""
                SELECT nodeid FROM tenantry.node
                WHERE groupid <> 0 AND (nodeid = $1 OR nodename = $2 AND nodeport = $3)
                ORDER BY nodeid <> $1 LIMIT 1""", nodeId, host, port);
        return found.size() == 0
                ? OptionalInt.empty()
                : OptionalInt.of(found.iterator().next().getInteger(0));
    }

    /** Notes that a node is at this address now. */
    public void moveNode(int nodeId, String host, int port) {
        connection.query("SELECT tenantry.citus_update_node($1, $2, $3)", nodeId, host, port);
    }

    /** Warns of settings of the coordinator with which not all moves are possible. */
    public void warnOfCoordinator() {
        connection.query("SELECT tenantry.warn_of_coordinator()");
    }

    /** Makes a server a node if it is none yet; returns its node id. */
    public int addNode(String host, int port) {
        return connection
                .query("SELECT tenantry.citus_add_node($1, $2)", host, port)
                .iterator()
                .next()
                .getInteger(0);
    }

    /**
     * Has the coordinator end this connection when nothing is sent over it for so long: the lead is free then, even if
     * our process hangs or our machine has gone without a word.
     */
    public void endWhenSilent(Duration silenceMax) {
        connection.query("SELECT set_config('idle_session_timeout', $1, false)", Long.toString(silenceMax.toMillis()));
    }

    /** Whether this connection is, from now on until it ends, the one that looks after the cluster. */
    public boolean lead() {
        return leads("upkeep");
    }

    /** Whether this connection is, from now on until it ends, the one that moves schemas. */
    public boolean leadMoves() {
        return leads("moves");
    }

    /** Whether this connection is, from now on until it ends, the one that runs rebalances. */
    public boolean leadRebalances() {
        return leads("rebalances");
    }

    /** Whether this connection is, from now on until it ends, the one that looks which nodes hang. */
    public boolean leadWatch() {
        return leads("watch");
    }

    /** Notes that these nodes hang, and no others. */
    public void noteSilence(Set<Integer> nodeIds) {
        connection.query("SELECT tenantry.note_silence($1)", (Object) nodeIds.toArray(Integer[]::new));
    }

    private boolean leads(String work) {
        return connection
                .query("SELECT tenantry.lead($1)", work)
                .iterator()
                .next()
                .getBoolean(0);
    }

    /** Installs on a node what it should have, as when it was added. */
    public void prepareAgain(int nodeId) {
        connection.query("SELECT tenantry.prepare_again($1)", nodeId);
    }

    /** Notes the sizes of all nodes that answer. */
    public void measureNodes() {
        connection.query("SELECT tenantry.measure_nodes()");
    }

    /** Notes how busy the schemas of all nodes that answer have been. */
    public void measureLoad() {
        connection.query("SELECT tenantry.measure_load()");
    }

    /** Waits for no disk from now on: what is noted over this connection is noted anew over the next one. */
    public void commitLightly() {
        connection.query("SET synchronous_commit = off");
    }

    /** Notes that this proxy is alive, at least as long as this connection. */
    public void proxyAlive(String proxyId) {
        connection.query("SELECT tenantry.proxy_alive($1)", proxyId);
    }

    /** Notes that this proxy begins nothing there any more, and how many sessions still have to end a transaction. */
    public void acknowledgePause(String proxyId, long pauseId, int running) {
        connection.query("SELECT tenantry.acknowledge_pause($1, $2, $3)", proxyId, pauseId, running);
    }

    /** Notes that this proxy has stopped. */
    public void proxyGone(String proxyId) {
        connection.query("SELECT tenantry.proxy_gone($1)", proxyId);
    }

    /** Whether somebody waits for {@code recover_prepared_transactions()}: by the number of the last who asked. */
    public OptionalLong recoveryAsked() {
        Row row = connection.query("""
                        SELECT a.last_value, a.last_value > d.last_value
                        FROM tenantry.recovery_asked a, tenantry.recovery_done d
                        """).iterator().next();
        return row.getBoolean(1) ? OptionalLong.of(row.getLong(0)) : OptionalLong.empty();
    }

    /** Answers those who asked up to that one: so many more transactions have been finished. */
    public void recoveryDone(long asked, int finished) {
        connection.query(
                "SELECT setval('tenantry.recovery_count', last_value + $1) FROM tenantry.recovery_count", finished);
        connection.query("SELECT setval('tenantry.recovery_done', $1)", asked);
    }

    /** The proxies that have given a sign of life lately; one that has stopped or died is not among them. */
    public Set<String> proxiesAlive() {
        Set<String> alive = new HashSet<>();
        connection.query("SELECT proxyid FROM tenantry.live_proxy").forEach(row -> alive.add(row.getString(0)));
        return alive;
    }

    /** A cancel request on its way from one proxy to another. */
    public record Cancel(UUID id, int processId, byte[] secret) {}

    /** Asks the live proxies that may know the keys; returns how many, for each that may be known to any. */
    public Map<UUID, Integer> handOnCancels(String proxyId, List<Cancel> cancels) {
        JsonArray rows = new JsonArray();
        for (Cancel cancel : cancels) {
            rows.add(new JsonObject()
                    .put("id", cancel.id().toString())
                    .put("processid", cancel.processId())
                    .put("secret", HexFormat.of().formatHex(cancel.secret())));
        }
        Map<UUID, Integer> asked = new HashMap<>();
        connection
                .query("SELECT tenantry.hand_on_cancels($1, $2)", proxyId, rows)
                .forEach(row -> asked.merge(row.getUUID(0), 1, Integer::sum));
        return asked;
    }

    /** What this proxy is asked to cancel; it is asked only once. */
    public List<Cancel> takeCancels(String proxyId) {
        List<Cancel> taken = new ArrayList<>();
        connection
                .query("SELECT id, processid, secret FROM tenantry.take_cancels($1)", proxyId)
                .forEach(row -> taken.add(new Cancel(
                        row.getUUID(0), row.getInteger(1), row.getBuffer(2).getBytes())));
        return taken;
    }

    /** Tells the proxy that has asked that it is done. */
    public void cancelled(UUID id) {
        connection.query("SELECT tenantry.cancelled($1)", id);
    }

    /** Forgets what is gone. */
    public void sweep() {
        connection.query("SELECT tenantry.sweep(), tenantry.sweep_cancels()");
    }
}
