# make app: set up, index the sample articles, open the page.   make test: set up, run what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: app test check eval constraints clean

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

constraints:
	echo torch==2.13.0 | uv pip compile --universal --python-version 3.10 pyproject.toml --extra test --no-annotate --no-header \
		--constraint - | grep -vE '^(cuda-|nvidia-|triton)' \
		| sed '1i # Versions that are tested together, for Python 3.10 to 3.13. Made by: make constraints (GPU libraries are left to torch).' \
		> constraints.new && mv constraints.new constraints.txt

clean:
	rm -rf $(VENV)
