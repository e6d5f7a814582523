#!/bin/sh
# Makes bench/txtai-env, in which peers.py runs txtai: it pins other versions than ours.
set -e
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv txtai-env
txtai-env/bin/pip install --quiet torch==2.13.0
txtai-env/bin/pip install --quiet "txtai>=9.14,<10"
