from __future__ import annotations

import socket
import sys

import pytest
from fake_pipeline import FakePipeline

import qa.ui
from qa.config import Config
from qa.errors import ConfigError


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
    import subprocess

    code = "import sys, qa.ui; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=qa.ui.theme.STATIC.parents[2], check=False).returncode == 0
