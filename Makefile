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
	$(BIN)/pytest --numprocesses 3 --dist loadfile

check: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/mypy

eval: $(VENV)/test
	$(BIN)/qa eval eval/

# torch comes first and alone: which build of it there is decides what it needs, and no hash fits all of them. The rest is locked.
$(VENV)/app: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --require-hashes --no-deps --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/test: $(VENV)/app requirements-test.lock
	$(BIN)/pip install --quiet --require-hashes --no-deps --requirement requirements-test.lock
	touch $@

constraints:
	PATH="$(abspath $(BIN)):$$PATH" $(PYTHON) bench/lock.py

audit: $(VENV)/test
	$(BIN)/python bench/audit.py

bom.json: $(VENV)/app requirements.lock
	$(BIN)/python bench/bom.py > $@

clean:
	rm -rf $(VENV)
