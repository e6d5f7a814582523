from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_pipeline import FakePipeline

import qa.ui
from qa.config import Config
from qa.errors import ConfigError

TESTS = Path(__file__).parents[1]


def test_a_port_in_use_is_one_line_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"^cannot serve on 127.0.0.1:{port}: .* \(choose another port: qa serve --port 7861\)$"):
            qa.ui.serve(Config().replace("ui.port", port), FakePipeline())  # type: ignore[arg-type]


def test_gradio_is_told_to_send_no_statistics() -> None:
    from gradio.analytics import analytics_enabled

    assert not analytics_enabled()


def test_the_page_itself_does_not_load_torch() -> None:
    code = "import sys, qa.ui; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=qa.ui.theme.STATIC.parents[2], check=False).returncode == 0


# --- to others -------------------------------------------------------------------------------------------------------------------

FOR_OTHERS = [("ui.host", host) for host in ("0.0.0.0", "::", "[::]", "10.1.2.3", "example.org", "")]
FOR_OTHERS += [("server.hosts", ("qa.example.org",)), ("server.proxies", ("127.0.0.1",)), ("server.sign_in", True)]


@pytest.mark.parametrize(("setting", "value"), FOR_OTHERS)
def test_nobody_is_served_without_users_where_others_could_come(setting: str, value: object) -> None:
    config = Config().replace("ui.port", 0).replace(setting, value)
    with pytest.raises(ConfigError, match=r"^to serve to others, users must be set: qa users add NAME writes users.json \(server.users\)$"):
        qa.ui.serve(config, FakePipeline(), block=False)  # type: ignore[arg-type]


def test_half_a_certificate_is_told() -> None:
    config = Config().replace("ui.port", 0).replace("server.certificate", "there.pem")
    with pytest.raises(ConfigError, match="^server.certificate and server.key go together"):
        qa.ui.serve(config, FakePipeline(), block=False)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="^server.certificate = there.pem cannot be used with server.key = key.pem: "):
        qa.ui.serve(config.replace("server.key", "key.pem"), FakePipeline(), block=False)  # type: ignore[arg-type]


TOLD_BY_GRADIO = {
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_SHARE": "True",
    "GRADIO_ALLOWED_PATHS": "/",
    "GRADIO_MCP_SERVER": "True",
    "GRADIO_NUM_WORKERS": "2",
    "GRADIO_SSR_MODE": "True",
    "GRADIO_RUN_HISTORY": "True",
    "FORWARDED_ALLOW_IPS": "*",
}
LISTENING = """
import socket, sys, urllib.error, urllib.request
sys.path.insert(0, {tests!r})
bound, bind = [], socket.socket.bind
socket.socket.bind = lambda self, address: (bound.append(address[0]), bind(self, address))[1]
import qa.ui
from fake_pipeline import FakePipeline
from qa.config import Config
served = qa.ui.serve(Config().replace("ui.port", 0), FakePipeline(), block=False)
for path in ("", "gradio_api/file=/etc/passwd", "gradio_api/mcp/", "gradio_api/runs"):
    try:
        print(urllib.request.urlopen(served.local_url + path).status)
    except urllib.error.HTTPError as error:
        print(error.code)
print(sorted(set(bound)))
served.close()
"""


def test_gradios_environment_opens_nothing() -> None:
    code = LISTENING.format(tests=str(TESTS))
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **TOLD_BY_GRADIO}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["200", "404", "404", "404", "['127.0.0.1']"]


# --- the end ---------------------------------------------------------------------------------------------------------------------


def test_a_question_under_way_is_answered_before_the_server_closes() -> None:
    pipeline = FakePipeline()
    pipeline.loaded.clear()
    served = qa.ui.serve(Config().replace("ui.port", 0), pipeline, block=False)  # type: ignore[arg-type]
    assert served is not None
    place = served.local_url.split("/")[2]
    asking = http.client.HTTPConnection(place, timeout=60)
    asking.request("POST", "/gradio_api/call/v2/ask", '{"question": "When was Apollo 11 launched?"}', {"Content-Type": "application/json"})
    event = json.load(asking.getresponse())["event_id"]
    asking.request("GET", f"/gradio_api/call/ask/{event}")
    closing = threading.Thread(target=served.close)
    closing.start()
    wait_until(lambda: refuses(place))
    assert closing.is_alive()
    pipeline.loaded.set()
    assert "16 July 1969" in asking.getresponse().read().decode()
    asking.close()
    closing.join(60)
    assert not closing.is_alive()


STOPPED = """
import sys
sys.path.insert(0, {tests!r})
import qa.ui
from fake_pipeline import FakePipeline
from qa.config import Config
qa.ui.serve(Config().replace("ui.port", {port}), FakePipeline())
print("closed")
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_without_a_fuss(sent: signal.Signals) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = STOPPED.format(tests=str(TESTS), port=port)
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: not refuses(f"127.0.0.1:{port}"))
    server.send_signal(sent)
    out, err = server.communicate(timeout=60)
    assert (server.returncode, out.splitlines()[-1], err) == (0, "closed", "")


def test_a_process_that_ends_does_not_wait_for_threads_nor_tidies_up_under_them() -> None:
    code = """
import atexit, threading, time
from qa.server.running import end_process
atexit.register(print, "tidied up")
threading.Thread(target=time.sleep, args=(600,)).start()
print("closed", end="")
end_process()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "closed", "")


def refuses(place: str) -> bool:
    try:
        connection = http.client.HTTPConnection(place, timeout=60)
        connection.request("GET", "/healthz")
        return connection.getresponse().status != 200
    except OSError:
        return True


def wait_until(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert done()
