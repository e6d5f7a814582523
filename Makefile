# make app: set up, index the sample articles, open the page.   make test: set up, run what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: app test check eval constraints audit clean

app: $(VENV)/app
	$(BIN)/qa info >/dev/null 2>&1 || $(BIN)/qa index eval/articles
	$(BIN)/python app.py

test: $(VENV)/test check
	$(BIN)/qa eval eval/ --retrieval-only --gate
	$(BIN)/pytest

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/mypy

eval: $(VENV)/test
	$(BIN)/qa eval eval/

# torch comes first and alone: its pinned build decides which of its own dependencies are fetched.
$(VENV)/app: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/test: $(VENV)/app
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

constraints: $(VENV)/test
	$(BIN)/python bench/lock.py

audit: $(VENV)/test
	$(BIN)/python bench/audit.py

bom.json: $(VENV)/app requirements.lock
	$(BIN)/python bench/bom.py > $@

clean:
	rm -rf $(VENV)
