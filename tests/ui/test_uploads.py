"""Uploaded files are kept whole, or the edition before is."""

from __future__ import annotations

import pytest

from qa.errors import StoreError
from qa.ui import changes


def test_an_upload_that_does_not_fit_on_the_disk_leaves_the_edition_before(config, tmp_path, monkeypatch):
    config = config.replace("ui.allow_changes", True)
    upload = tmp_path / "sea.txt"
    upload.write_text("The sea is blue.")
    (kept,) = changes._keep(config, [str(upload)])
    assert kept.read_text() == "The sea is blue."

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    upload.write_text("The sea is green.")
    with pytest.raises(StoreError, match="is full"):
        list(changes._keep(config, [str(upload)]))
    assert kept.read_text() == "The sea is blue."
    assert [path.name for path in kept.parent.iterdir()] == ["sea.txt"]
