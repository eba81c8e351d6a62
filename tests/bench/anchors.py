"""Runs the anchors' driver with Diwan among its candidates: same namespaces, counters and phases.

ANCHORS_DIR names the anchors' folder, DIWAN_BENCH the program `bench`, whose hidden command `node`
speaks the driver's line protocol above a real `diwan-node`. The arguments are the driver's.
"""
import os
import signal
import time
import types
from pathlib import Path

BENCH = Path(os.environ["DIWAN_BENCH"])
NODE = BENCH.with_name("diwan-node")


def driver():
    """The driver as a module. Its last line starts it, which has to wait for our candidates."""
    path = Path(os.environ["ANCHORS_DIR"]) / "bench.py"
    source = path.read_text().rstrip()
    assert source.endswith("\nmain()"), f"{path} does not end as it did"
    module = types.ModuleType("bench")
    module.__file__ = str(path)
    exec(compile(source.removesuffix("main()"), str(path), "exec"), module.__dict__)
    return module


bench = driver()


class Child(bench.Node):
    """The adapter's process, measured by the node's: memory and CPU are those of `diwan-node`."""

    def __init__(self, side, cmd, log):
        super().__init__(side, cmd, log)
        self.pid = self.ready["pid"]

    def kill(self):
        super().kill()
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # the adapter stopped it, as it should

    def told(self, ev):
        """An event that may not come, because the run ended before it."""
        try:
            return self.wait(ev, 0)
        except RuntimeError:
            return None


class Diwan(bench.NodeCandidate):
    """Two agencies. Before the clock starts A has pinned B and made it a member of the group, and B
    holds A's card; A knows no address of B, so only B connects, by pinning A (or resuming it)."""
    name = "diwan"
    listen = "/ip4/{ip}/tcp/4001"

    def __init__(self, n):
        done = bench.WORK / f"{self.name}-base-{n}" / "done"
        if done.exists() and done.stat().st_mtime < NODE.stat().st_mtime:
            done.unlink()  # an older node loaded it
        super().__init__(n)

    def argv(self, side, root):
        return [BENCH, "node", root] + ([self.listen.format(ip=bench.IP["A"])] if side == "A" else [])

    def node(self, side, root):
        child = Child(side, self.argv(side, root), bench.WORK / f"{self.name}-{side}.log")
        if side == "B" and child.ready["new"]:
            self.acquaint(child)
        return child

    def serve(self, a):
        self.a = a

    def acquaint(self, b):
        cards = {s: self.dir / f"{s}.card.json" for s in "AB"}
        self.a.cmd(f"introduce {cards['A']}", "introduced")
        b.cmd(f"introduce {cards['B']}", "introduced")
        self.a.cmd(f"admit {cards['B']}", "admitted")
        b.cmd(f"note {cards['A']}", "noted")

    def connect(self, b):
        self.began = time.time()
        b.cmd("connect", "connecting")

    def sync(self, net, b, a, expect):
        """As the others; besides, when the last record was searchable on B."""
        if expect:
            b.cmd(f"target {a.cmd('held', 'held')['entries']}", "aimed")
        found = super().sync(net, b, a, expect)
        if expect and found[0] is not None:
            seen = b.wait("searchable")
            key = "searchable_s" if "searchable_s" not in self.out else f"d{expect}_searchable_s"
            self.out[key] = seen and seen["t"] / 1e9 - self.began
        return found

    def run(self, net, rep):
        out = super().run(net, rep)
        acks = self.a.told("acks")
        if acks:
            out |= {"ack_p50_ms": acks["p50_ms"], "ack_p99_ms": acks["p99_ms"]}
        return out


class DiwanQuic(Diwan):
    name = "diwan-quic"
    listen = "/ip4/{ip}/udp/4001/quic-v1"


bench.CANDIDATES |= {c.name: c for c in (Diwan, DiwanQuic)}
bench.main()
