"""The servers a benchmark runs against: starts them on free ports under a folder of its own, and stops them by id."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HOME = pathlib.Path(__file__).resolve().parent.parent
USER = PASSWORD = DATABASE = "tenantry"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def fail(message):
    say("bench:", message)
    sys.exit(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            fail(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        versions = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
        found = str(versions[-1]) if versions else None
    return found


def environment(options=""):
    env = dict(os.environ, PGPASSWORD=PASSWORD)
    env.pop("PGOPTIONS", None)
    if options:
        env["PGOPTIONS"] = options
    return env


def address(port, database=DATABASE):
    return ["-h", "127.0.0.1", "-p", str(port), "-U", USER, database]


def sql(port, *statements, options=""):
    """The output of some statements through psql, unaligned."""
    command = [program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", *address(port)]
    for statement in statements:
        command += ["-c", statement]
    done = subprocess.run(command, env=environment(options), capture_output=True, text=True)
    if done.returncode:
        fail(f"{statements}: {done.stderr.strip()}")
    return done.stdout.strip()


def java_home(pid):
    return pathlib.Path(os.readlink(f"/proc/{pid}/exe")).parent.parent


def _stat(pid):
    """The fields of /proc/PID/stat behind the name, or None when the process is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2:].split()


def cpu_seconds(pid, with_children=False):
    """User and system time; with the children's, those that have ended included."""
    while True:
        fields = _stat(pid)
        if fields is None:
            return 0.0
        ticks = int(fields[11]) + int(fields[12])
        if not with_children:
            return ticks / TICKS_PER_SECOND
        ended = int(fields[13]) + int(fields[14])
        for entry in os.listdir("/proc"):
            child = _stat(entry) if entry.isdigit() else None
            if child and child[1] == str(pid):
                ticks += int(child[11]) + int(child[12])
        again = _stat(pid)
        # A child that ended meanwhile would be missed, or counted twice.
        if again is None or int(again[13]) + int(again[14]) == ended:
            return (ticks + ended) / TICKS_PER_SECOND


def heap_bytes(pid):
    """Bytes alive in the heap of a JVM after a full collection."""
    jcmd = program("jcmd") or str(java_home(pid) / "bin" / "jcmd")
    text = subprocess.run([jcmd, str(pid), "GC.class_histogram"], capture_output=True, text=True).stdout
    total = re.search(r"^Total\s+\d+\s+(\d+)", text, re.MULTILINE)
    return int(total[1]) if total else fail("jcmd gave no histogram:\n" + text[:500])


def resident_bytes(pid):
    """What a process has of the machine's memory."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)[1])


class Servers:
    """Use it in a `with`: whatever was started is stopped, the folder is removed."""

    def __init__(self, java_options="", keep=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tenantry-bench-"))
        self.folder.chmod(0o755)  # PgBouncer reads its configuration as another user
        self.java_options = java_options
        self.keep = keep
        self.started = []

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        return self

    def __exit__(self, kind, *_):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # nothing keeps it from stopping what it started
        for name, _ in reversed(self.started[:]):
            self.stop(name)
        if self.keep or kind not in (None, SystemExit, KeyboardInterrupt):
            say("kept", self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, command, **how):
        log = open(self.folder / f"{name}.log", "wb")
        # In a session of its own, as a service is: where the kernel shares the CPU out by sessions, a proxy would
        # otherwise share the part of the load that drives it.
        process = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, **how)
        self.started.append((name, process))
        return process

    def stop(self, name):
        process = next(one for started, one in self.started if started == name)
        self.started.remove((name, process))
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            say(f"{name} did not stop in 60 s; killed")
            process.kill()
            process.wait()

    def tail(self, name):
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-20:])

    def tenantry(self, workers=1):
        """The embedded cluster with its proxy: the port of the proxy and the process."""
        port = free_port()
        env = dict(os.environ, TENANTRY_JAVA_OPTS=self.java_options)
        command = [str(HOME / "tenantry"), "up", "--data", str(self.folder / "data"), "--workers", str(workers),
                   "--port", str(port), "--http-port", str(free_port())]
        process = self.start("tenantry", command, env=env)

        def ready():
            if process.poll() is not None:
                fail("Tenantry ended:\n" + self.tail("tenantry"))
            return "ready:" in self.tail("tenantry")

        wait_for(ready, "Tenantry to build and start", 900)
        return port, process

    def worker(self, name="worker1"):
        """The port and the process id of an embedded server."""
        lines = (self.folder / "data" / name / "postmaster.pid").read_text().splitlines()
        return int(lines[3]), int(lines[0])

    def pgbouncer(self, executable, server_port, schema, sessions, mode, size):
        """PgBouncer before one server: its port and process."""
        port = free_port()
        folder = self.folder / "pgbouncer"
        folder.mkdir()
        (folder / "users.txt").write_text(f'"{USER}" "{PASSWORD}"\n')
        # The schema is set when a server connection opens; DISCARD ALL, the default reset query, would undo that.
        (folder / "pgbouncer.ini").write_text(f"""
[databases]
{DATABASE} = host=127.0.0.1 port={server_port} dbname={DATABASE} connect_query='SET search_path TO {schema}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = {mode}
server_reset_query = DEALLOCATE ALL
max_client_conn = {sessions * 4}
default_pool_size = {size or sessions * 2}
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
""")
        command = [executable, str(folder / "pgbouncer.ini")]
        if os.geteuid() == 0:  # PgBouncer refuses to run as root
            account = next(name for name in ("postgres", "nobody") if name in {one.pw_name for one in pwd.getpwall()})
            entry = pwd.getpwnam(account)
            command = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", *command]
        process = self.start("pgbouncer", command, cwd="/")

        def ready():
            if process.poll() is not None:
                fail("PgBouncer ended:\n" + self.tail("pgbouncer"))
            return accepts(port)

        wait_for(ready, "PgBouncer to start", 20)
        return port, process
