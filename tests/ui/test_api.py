"""What programs are given of the articles."""

from __future__ import annotations

import dataclasses

import pytest
from fake_pipeline import MOON, FakePipeline

from qa.config import Config
from qa.datatypes import Article, ArticleSummary
from qa.server.record import Record
from qa.ui.api import Api
from qa.ui.line import Line

FOUND = dataclasses.replace(MOON, path="/srv/articles/moon.txt")


class Shelf(FakePipeline):
    def article(self, article_id: str) -> Article:
        return FOUND

    def articles(self) -> list[ArticleSummary]:
        return [ArticleSummary("moon", MOON.title, None, None, "moon.example", None, FOUND.path, 1, MOON.sha256, None)]


@pytest.mark.parametrize(("host", "path"), [("127.0.0.1", "/srv/articles/moon.txt"), ("0.0.0.0", "moon.txt")])
def test_others_are_not_told_in_which_folder_an_article_lies(host, path):
    config = Config().replace("ui.host", host)
    api = Api(config, Shelf(), Line(), Record(config))  # type: ignore[arg-type]
    assert [api.article("moon")["path"], api.articles()[0]["path"]] == [path, path]
