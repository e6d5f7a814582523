#!/bin/sh
# Makes bench/haystack-env, in which peers.py runs Haystack 2: it pins other versions than ours.
set -e
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m venv haystack-env
haystack-env/bin/pip install --quiet torch==2.13.0
haystack-env/bin/pip install --quiet "haystack-ai<3" sentence-transformers accelerate sentencepiece
