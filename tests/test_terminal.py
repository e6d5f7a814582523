"""What is said on a terminal."""

from __future__ import annotations

import pytest

from qa.terminal import say


def test_a_name_can_neither_begin_a_line_nor_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("refused /x/a\nindexed\x1b[2J\u202etxt.é.txt: empty")
    assert capsys.readouterr().err == "refused /x/a\\nindexed\\x1b[2J\\u202etxt.é.txt: empty\n"
