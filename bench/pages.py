"""Two pages over one index behind nginx, by deploy/nginx.conf itself: one is killed, one stopped, while people ask and articles change.

    python bench/pages.py [--seconds 200] [--askers 8] [--reader span]

Needs nginx and openssl. Some askers keep cookies, as browsers do; some send name and password with each request and keep none; one is
Gradio's own client. Whoever gets no answer asks again, up to `TRIES` times. Meanwhile `qa index` and `qa remove` run one after the
other. In the end each citation is compared with all the texts that its article ever had. Writes bench/results/pages.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from gradio_client import Client
from machine import described

from qa.server.users import Users
from qa.store import Store

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "pages.json"
NGINX = ROOT / "deploy" / "nginx.conf"
QA = [str(Path(sys.executable).with_name("qa"))]
USER, PASSWORD = "bob", "correct horse battery"
TRIES, PAUSE = 6, 2.0  # seconds between two tries
PATIENCE = 90.0  # seconds for one try
STARTING = 300.0  # seconds for a page to be ready
MAIN = """pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""

Ask = Callable[[str], dict]  # type: ignore[type-arg]  # a question -> the response as JSON; raises what went wrong


@dataclass
class Seen:
    """What the askers saw. `phase` is what is going on just now. Safe to use from several threads."""

    phase: str = ""
    first_try: Counter[str] = field(default_factory=Counter)  # by the phase in which the question was asked
    later: Counter[str] = field(default_factory=Counter)
    never: Counter[str] = field(default_factory=Counter)
    problems: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    citations: list[dict] = field(default_factory=list)  # type: ignore[type-arg]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def question(self, ask: Ask, question: str) -> None:
        phase, started = self.phase, time.monotonic()
        for tried in range(TRIES):
            try:
                response = ask(question)
            except Exception as error:  # whatever an asker would see
                with self.lock:
                    self.problems[phase][_named(error)] += 1
                time.sleep(PAUSE)
                continue
            with self.lock:
                (self.later if tried else self.first_try)[phase] += 1
                self.seconds[phase].append(time.monotonic() - started)
                self.citations += response["citations"]
            return
        with self.lock:
            self.never[phase] += 1


class Page:
    """One of the two: `python app.py` on a port of its own."""

    def __init__(self, number: int, folder: Path, reader: str) -> None:
        self.port = free_port()
        self.log = folder / f"page{number}.log"
        self._environment = {
            **os.environ,
            "QA_INDEX__PATH": str(folder / "index"),
            "QA_READER__MODEL": reader,
            "QA_UI__PORT": str(self.port),
            "QA_SERVER__USERS": str(folder / "users.json"),
            "QA_SERVER__LOG": str(self.log),
            "QA_SERVER__PROXIES": '["127.0.0.1"]',
            "QA_SERVER__HOSTS": '["qa.example.org"]',
            "QA_SERVER__QUESTIONS": "100000",  # no limit is to be measured here
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL)

    def wait(self) -> float:
        """Until it can answer; returns the seconds."""
        started = time.monotonic()
        while time.monotonic() - started < STARTING:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False, timeout=10).status_code == 200:
                    return time.monotonic() - started
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise SystemExit("a page was not ready in time")

    def end(self, sign: signal.Signals) -> float:
        """Returns the seconds until it was gone."""
        assert self._process is not None
        started = time.monotonic()
        self._process.send_signal(sign)
        self._process.wait()
        return time.monotonic() - started

    @property
    def asked(self) -> int:
        return sum('"did": "asked"' in line for line in self.log.read_text("utf-8").splitlines()) if self.log.exists() else 0


class Writer(threading.Thread):
    """Indexes one edition of some articles after the other and removes what it added, by the commands. Keeps all texts that ever were."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.index, self.files = folder / "index", folder / "changing"
        self.texts: defaultdict[str, set[str]] = defaultdict(set)
        self.runs: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.done = threading.Event()
        self.files.mkdir()

    def run(self) -> None:
        edition = 0
        while not self.done.is_set():
            edition += 1
            for name in ("harbour", "lighthouse", "ferry"):
                text = f"The {name} of Thule\n\nEdition {edition} says that the {name} of Thule was built in {1700 + edition}. It is red.\n"
                (self.files / f"{name}.txt").write_text(text, encoding="utf-8")
            self.command("index", str(self.files))
            if edition % 2 == 0:
                with Store.open(self.index) as store:
                    gone = [summary.id for summary in store.summaries() if "Thule" in summary.title]
                self.command("remove", *gone)

    def command(self, *words: str) -> None:
        done = subprocess.run([*QA, *words, "--index", str(self.index)], cwd=ROOT, capture_output=True, text=True)
        self.runs[words[0]] += 1
        if done.returncode:
            self.problems[done.stderr.strip()[-200:]] += 1
        with Store.open(self.index) as store:
            for summary in store.summaries():
                self.texts[summary.id].add(store.article(summary.id).text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=200)
    parser.add_argument("--askers", type=int, default=8)
    parser.add_argument("--reader", default="span", help="sentence: more questions on a busy machine")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        result = measured(Path(place), options.seconds, options.askers, options.reader)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def measured(folder: Path, seconds: float, askers: int, reader: str) -> dict[str, object]:
    Users(folder / "users.json").add(USER, PASSWORD, "reader")
    writer = Writer(folder)
    writer.command("index", str(ROOT / "eval" / "articles"))
    one, two = pages = Page(1, folder, reader), Page(2, folder, reader)
    for page in pages:
        page.start()
    for page in pages:
        page.wait()
    seen, done = Seen(), threading.Event()
    took: dict[str, float] = {}
    with behind_nginx(folder, pages) as address:
        checked = outside(address)
        signed_in = [asker(number, address) for number in range(askers)]
        asking = [threading.Thread(target=keep_asking, args=(number, ask, seen, done), daemon=True) for number, ask in enumerate(signed_in)]
        seen.phase = "two pages"
        for thread in (writer, *asking):
            thread.start()
        time.sleep(seconds / 5)
        seen.phase = "page 1 killed"
        one.end(signal.SIGKILL)
        time.sleep(seconds / 5)
        seen.phase = "page 1 started again"
        one.start()
        took["page 1 ready again"] = one.wait()
        time.sleep(seconds / 5)
        seen.phase = "page 2 stopped in order"
        took["page 2 stopped"] = two.end(signal.SIGTERM)
        time.sleep(seconds / 5)
        seen.phase = "page 2 started again"
        two.start()
        took["page 2 ready again"] = two.wait()
        time.sleep(seconds / 5)
        done.set()
        for thread in asking:
            thread.join()
    writer.done.set()
    writer.join()
    for page in pages:
        page.end(signal.SIGTERM)
    return {"machine": described(), "reader": reader, "askers": askers, **told(seen, writer, pages, took, checked)}


def told(seen: Seen, writer: Writer, pages: tuple[Page, Page], took: dict[str, float], checked: dict[str, object]) -> dict[str, object]:
    wrong = [one for one in seen.citations if not is_slice(one, writer.texts)]
    rows = {
        phase: {
            "answered_at_once": seen.first_try[phase],
            "answered_after_asking_again": seen.later[phase],
            "never_answered": seen.never[phase],
            "p50_seconds": round(float(np.percentile(seconds, 50)), 1),
            "slowest_seconds": round(max(seconds), 1),
            "problems": dict(seen.problems[phase]),
        }
        for phase, seconds in seen.seconds.items()
    }
    return {
        "phases": rows,
        "answered_at_once": seen.first_try.total(),
        "answered_after_asking_again": seen.later.total(),
        "never_answered": seen.never.total(),
        "asked_of_each_page": [page.asked for page in pages],
        "citations": len(seen.citations),
        "citations_of_changing_articles": sum("Thule" in one["quote"] for one in seen.citations),
        "citations_that_are_no_slice": len(wrong),
        "changes": dict(writer.runs),
        "problems_of_changes": dict(writer.problems),
        "seconds": {name: round(value, 1) for name, value in took.items()},
        "from_outside": checked,
    }


def is_slice(citation: dict, texts: dict[str, set[str]]) -> bool:  # type: ignore[type-arg]
    return any(text[citation["start"] : citation["end"]] == citation["quote"] for text in texts.get(citation["article_id"], ()))


# --- askers ---------------------------------------------------------------------------------------------------------------------------


def keep_asking(number: int, ask: Ask, seen: Seen, done: threading.Event) -> None:
    chance = random.Random(number)
    rows = [json.loads(line) for line in (ROOT / "eval" / "questions.jsonl").read_text("utf-8").splitlines()]
    questions = [row["question"] for row in rows if not row.get("turns")]
    while not done.is_set():
        changing = f"When was the {chance.choice(('harbour', 'lighthouse', 'ferry'))} of Thule built?"
        seen.question(ask, changing if chance.random() < 0.3 else chance.choice(questions))


def asker(number: int, address: str) -> Ask:
    if number == 0:
        client = Client(address, auth=(USER, PASSWORD), ssl_verify=False, verbose=False)
        return lambda question: client.submit(question=question, api_name="/ask").result(timeout=PATIENCE)
    # Each from an address of its own: nginx goes by it where there is no cookie.
    transport = httpx.HTTPTransport(verify=False, http2=False, local_address=f"127.0.0.{10 + number}")
    client = httpx.Client(base_url=address, transport=transport, timeout=PATIENCE, trust_env=False)
    if number % 2:
        client.post("/login", data={"username": USER, "password": PASSWORD}).raise_for_status()
        return lambda question: ask_by_http(client, question)
    client.auth = (USER, PASSWORD)
    return lambda question: ask_by_http(client, question)


def ask_by_http(client: httpx.Client, question: str) -> dict:  # type: ignore[type-arg]
    began = client.post("/gradio_api/call/ask", json={"data": [question, None, "", "", "", "", None]}).raise_for_status()
    got = client.get(f"/gradio_api/call/ask/{began.json()['event_id']}").raise_for_status()
    event, _, data = got.text.rstrip().rpartition("\n\n")[2].partition("\ndata: ")
    if event != "event: complete":
        raise RuntimeError(f"{event or 'no event'}: {data[:100]}")
    return json.loads(data)[0]


def outside(address: str) -> dict[str, object]:
    """What somebody finds who has not signed in."""
    with httpx.Client(base_url=address, verify=False, trust_env=False, timeout=PATIENCE) as client:
        cookie = client.get("/login").headers["set-cookie"]
        statuses = {path: client.get(path).status_code for path in ("/healthz", "/readyz", "/metrics", "/config")}
        foreign = client.get("/", headers={"host": "elsewhere.example"}).status_code
    return {"cookie": re.sub("=[0-9a-f]{32};", "=…;", cookie), **statuses, "another host's name": foreign}


def _named(error: Exception) -> str:
    found = f"{type(error).__name__}: {error}".splitlines()[0]
    return re.sub(r"https?://\S+|[0-9a-f]{32}", "…", found)[:120]


# --- nginx ----------------------------------------------------------------------------------------------------------------------------


@contextmanager
def behind_nginx(folder: Path, pages: tuple[Page, Page]) -> Iterator[str]:
    """The address to ask. Of the configuration, ports and files alone are other ones."""
    port = free_port()
    others = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "/etc/nginx/certificates": str(folder),
        **{f"page{number}:7860": f"127.0.0.1:{page.port}" for number, page in enumerate(pages, 1)},
    }
    site = NGINX.read_text("utf-8")
    for ours, other in others.items():
        assert ours in site
        site = site.replace(ours, other)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, site=site), encoding="utf-8")
    names = ["-subj", "/CN=qa.example.org", "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names], check=True, capture_output=True)
    command = ["nginx", "-e", str(folder / "nginx.log"), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(command)
    try:
        wait_for(port)
        yield f"https://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, context.wrap_socket(plain):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("nginx was not there in time")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


if __name__ == "__main__":
    main()
